//! The names of new jails.

use std::fs::File;
use std::io::Read as _;

use super::errors;
use super::storage::Storage;
use crate::error::Error;
use crate::iocage::name::JailName;

/// The name of a new jail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NewName {
    /// A random UUID.
    #[default]
    Random,
    /// The first 8 characters of a random UUID.
    RandomShort,
    /// The given name.
    Name(String),
    /// The given UUID.
    Uuid(String),
    /// The first 8 characters of the given UUID.
    UuidShort(String),
}

impl NewName {
    /// Returns the names of `count` new jails. Several jails are named `NAME_1`, `NAME_2` and so on. No other jail
    /// has these names.
    ///
    /// # Errors
    ///
    /// A name is not allowed, or a jail or template has it.
    pub fn names(&self, storage: &Storage<'_>, count: u16) -> Result<Vec<JailName>, Error> {
        let names = match self {
            NewName::Random => (0..count).map(|_| random_uuid()).collect::<Result<_, _>>()?,
            NewName::RandomShort => {
                (0..count).map(|_| Ok(random_uuid()?[..8].to_owned())).collect::<Result<_, Error>>()?
            }
            NewName::Uuid(uuid) => vec![checked(uuid)?.to_owned()],
            NewName::UuidShort(uuid) => vec![checked(uuid)?[..8].to_owned()],
            NewName::Name(name) if count == 1 => vec![name.clone()],
            NewName::Name(name) => (1..=count).map(|number| format!("{name}_{number}")).collect(),
        };
        let taken = storage.names()?;
        let mut free = Vec::new();
        for name in names {
            let name = JailName::new(&name)?;
            let others = taken.iter().chain(&free);
            if let Some(other) = others.into_iter().find(|other| other.flat() == name.flat()) {
                return Err(errors::exists(&name, other));
            }
            free.push(name);
        }
        Ok(free)
    }
}

fn checked(uuid: &str) -> Result<&str, Error> {
    match is_uuid(uuid) {
        true => Ok(uuid),
        false => Err(errors::not_uuid(uuid)),
    }
}

/// Whether a text has the form of a UUID: hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A UUID of version 4 (RFC 9562).
fn random_uuid() -> Result<String, Error> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).map_err(errors::random)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &digits[group]);
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iocage::store::Store;

    #[test]
    fn random_uuids_are_uuids_and_differ() {
        let (one, other) = (random_uuid().unwrap(), random_uuid().unwrap());
        assert!(is_uuid(&one) && is_uuid(&other) && one != other, "{one} {other}");
        assert_eq!(&one[14..15], "4");
        for text in ["", "web", "9f7d1f0e7d3f11f08f0e589cfc10ffff", "9f7d1f0e-7d3f-11f0-8f0e-589cfc10fffg"] {
            assert!(!is_uuid(text), "{text:?}");
        }
    }

    #[test]
    fn several_are_numbered_and_none_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("jails/web.2")).unwrap();
        let store = Store::open(directory.path()).unwrap();
        let storage = Storage::look(&store, &[]).unwrap();
        let names = |name: NewName, count| {
            let names = name.names(&storage, count).map_err(|error| error.to_string())?;
            Ok::<_, String>(names.iter().map(JailName::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names(NewName::Name("db".into()), 1).unwrap(), ["db"]);
        assert_eq!(names(NewName::Name("db".into()), 2).unwrap(), ["db_1", "db_2"]);
        let error = names(NewName::Name("web".into()), 2).unwrap_err();
        assert!(error.starts_with("Jail: web_2 already exists! The kernel would call it"), "{error}");
        assert_eq!(names(NewName::RandomShort, 1).unwrap()[0].len(), 8);
        assert!(names(NewName::Uuid("web".into()), 1).unwrap_err().contains("valid UUID"));
        for reserved in ["ALL", "default", "help"] {
            assert!(names(NewName::Name(reserved.into()), 1).is_err());
        }
    }
}
