//! Users as [`passwd(5)`](https://man.freebsd.org/passwd(5)) and [`group(5)`](https://man.freebsd.org/group(5)) have
//! them, read without the C library.
//!
//! For a program that runs as a user of a jail, the user is looked up in a child, between `jail_attach` and
//! `execve`. [`getpwnam(3)`](https://man.freebsd.org/getpwnam(3)) would allocate, lock and load modules
//! there. The functions in this file only read bytes. Users that are only in NIS or LDAP are not found.

/// The most supplementary groups that are looked up; [`security(7)`](https://man.freebsd.org/security(7))'s NGROUPS_MAX
/// is far larger.
pub const MOST_GROUPS: usize = 32;

/// A user's number and login group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The login group.
    pub gid: u32,
}

/// Returns the user `name` in the text of `/etc/passwd`.
pub fn find(passwd: &[u8], name: &[u8]) -> Option<User> {
    lines(passwd).find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        if fields.next() != Some(name) || name.is_empty() {
            return None;
        }
        Some(User { uid: number(fields.nth(1)?)?, gid: number(fields.next()?)? })
    })
}

/// Writes the groups of the user `name` into `groups`, the login group first. Returns how many.
pub fn groups(group: &[u8], name: &[u8], user: User, groups: &mut [u32; MOST_GROUPS]) -> usize {
    groups[0] = user.gid;
    let mut count = 1;
    for line in lines(group) {
        let mut fields = line.split(|byte| *byte == b':');
        let (Some(gid), Some(members)) = (fields.nth(2).and_then(number), fields.next()) else { continue };
        let member = members.split(|byte| *byte == b',').any(|member| member == name);
        if member && count < MOST_GROUPS && !groups[..count].contains(&gid) {
            groups[count] = gid;
            count += 1;
        }
    }
    count
}

/// The lines with users or groups. A line with `#` is a comment, and lines with `+` and `-` refer to NIS.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !matches!(line.first(), None | Some(b'#' | b'+' | b'-')))
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u32, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"# $FreeBSD$\n#\nroot:*:0:0:Charlie &:/root:/bin/sh\n\
        www:*:80:81:World Wide Web Owner:/nonexistent:/usr/sbin/nologin\n\
        huge:*:4294967296:1::/:/bin/sh\nodd:*:x:1::/:/bin/sh\nshort:*\n+:::::::\n";
    const GROUP: &[u8] = b"# $FreeBSD$\nwheel:*:0:root,www\nwww:*:81:www\nmail:*:6:postfix\n\
        dialer:*:68:www2,www\nempty:*:69:\nbroken\n";

    #[test]
    fn users_are_found_by_their_whole_name() {
        assert_eq!(find(PASSWD, b"root"), Some(User { uid: 0, gid: 0 }));
        assert_eq!(find(PASSWD, b"www"), Some(User { uid: 80, gid: 81 }));
        assert_eq!(find(PASSWD, b"ww"), None);
        assert_eq!(find(PASSWD, b""), None);
        assert_eq!(find(PASSWD, b"+"), None);
    }

    #[test]
    fn numbers_that_are_none_make_no_root() {
        for name in [b"huge".as_slice(), b"odd", b"short"] {
            assert_eq!(find(PASSWD, name), None);
        }
    }

    #[test]
    fn groups_begin_with_the_login_group_and_repeat_none() {
        let mut found = [0; MOST_GROUPS];
        let count = groups(GROUP, b"www", User { uid: 80, gid: 81 }, &mut found);
        assert_eq!(found[..count], [81, 0, 68]);
    }

    #[test]
    fn more_groups_than_there_is_room_for_are_left_out() {
        let text: String = (0..100).map(|gid| format!("g{gid}:*:{gid}:me\n")).collect();
        let mut found = [0; MOST_GROUPS];
        let count = groups(text.as_bytes(), b"me", User { uid: 1, gid: 1000 }, &mut found);
        assert_eq!(count, MOST_GROUPS);
    }
}
