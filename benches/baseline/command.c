/*
 * What `jailwire start` and `jailwire stop` do for jails of iocage, done without jailwire: the same
 * requests to the kernel, the same files, the same mounts and one child for each jail, in the same order.
 * One jail is worked on after the other.
 *
 *     command start|stop none|plain|seven|base|shared JAILS
 *
 * Jails, names, addresses and files are those of benches/command/files.rs. `start` prints `up` when a jail is
 * up, and both print `memory KIB` at the end.
 */
#include "requests.h"

#include <sys/mount.h>

#include <fs/devfs/devfs.h>

#define ROOT "/jailwire-bench"
#define BRIDGE "bridge90"
#define ROOM "/var/run/jailwire-baseline"
#define RULESETS 1000

static const char *const base[] = {
	"bin", "lib", "libexec", "sbin", "usr/bin", "boot", "rescue", "usr/include", "usr/lib", "usr/libexec",
	"usr/sbin", "usr/share"
};
static const char *const devices[] = {
	"null", "zero", "crypto", "random", "urandom", "ptyp*", "ptyq*", "ptyr*", "ptys*", "ptyP*", "ptyQ*",
	"ptyR*", "ptyS*", "ptyl*", "ptym*", "ptyn*", "ptyo*", "ptyL*", "ptyM*", "ptyN*", "ptyO*", "ttyp*",
	"ttyq*", "ttyr*", "ttys*", "ttyP*", "ttyQ*", "ttyR*", "ttyS*", "ttyl*", "ttym*", "ttyn*", "ttyo*",
	"ttyL*", "ttyM*", "ttyN*", "ttyO*", "ptmx", "pts", "pts/*", "fd", "fd/*", "stdin", "stdout", "stderr",
	"zfs"
};

/* The jail that is worked on. */
static struct {
	int number, jid;
	char name[32], kernel_name[40], directory[96], root[128], lock_path[96], journal_path[96];
	int lock, journal;
} the;
static size_t nullfs;
static bool devfs, shared;

/* The child of the jail: its process descriptor, and a socket to it. */
static pid_t child = -1;
static int child_descriptor, child_socket;

static int
must(int result, const char *what)
{
	if (result < 0)
		err(1, "%s: %s", the.name, what);
	return (result);
}

static void
choose(int number)
{
	the.number = number;
	snprintf(the.name, sizeof(the.name), "bench%04d", number);
	snprintf(the.kernel_name, sizeof(the.kernel_name), "ioc-%s", the.name);
	snprintf(the.directory, sizeof(the.directory), ROOT "/jails/%s", the.name);
	snprintf(the.root, sizeof(the.root), "%s/root", the.directory);
	snprintf(the.lock_path, sizeof(the.lock_path), ROOM "/%s.lock", the.name);
	snprintf(the.journal_path, sizeof(the.journal_path), ROOM "/%s.journal", the.name);
	the.journal = -1;
}

static uint32_t
own_address(void)
{
	return ((198U << 24) + (18U << 16) + ((uint32_t)the.number / 200 << 8) + (uint32_t)the.number % 200 + 2);
}

/* Files */

static size_t
read_file(const char *directory, const char *name, char *text, size_t room)
{
	char path[256];
	struct stat found;
	ssize_t length, more;
	int file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	must(stat(path, &found), path);
	file = must(open(path, O_RDONLY | O_CLOEXEC), path);
	must(fstat(file, &found), path);
	length = must((int)read(file, text, room), path);
	more = must((int)read(file, text + length, room - (size_t)length), path);
	close(file);
	return ((size_t)(length + more));
}

/* Writes a file beside the old one, and puts it in the place of the old one. */
static void
replace_file(const char *directory, const char *name, const char *text, size_t length, bool durable)
{
	char beside[80];
	int at = must(open(directory, O_RDONLY | O_CLOEXEC), directory), file;

	snprintf(beside, sizeof(beside), ".%s.new", name);
	file = must(openat(at, beside, O_WRONLY | O_NOFOLLOW | O_CREAT | O_EXCL | O_CLOEXEC, 0644), beside);
	must(fchmod(file, 0644), beside);
	if (write(file, text, length) != (ssize_t)length)
		err(1, "%s", beside);
	if (durable)
		must(fsync(file), beside);
	must(renameat(at, beside, at, name), name);
	if (durable)
		must(fsync(at), directory);
	close(file);
	close(at);
}

static void
note(size_t length)
{
	static const char letters[512] = { 'x' };

	if (the.journal < 0)
		the.journal =
		    must(open(the.journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600), the.journal_path);
	if (write(the.journal, letters, length) != (ssize_t)length)
		err(1, "write");
}

static int
take_lock(const char *path, int flags, int how)
{
	struct stat held, found;
	int file = must(open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600), path);

	if (flock(file, how) < 0 || fstat(file, &held) < 0 || lstat(path, &found) < 0)
		err(1, "%s", path);
	return (file);
}

static int
lock_with_pid(const char *path)
{
	int file = take_lock(path, O_RDWR | O_CREAT, LOCK_EX | LOCK_NB);

	if (pwrite(file, "0000000000", 10, 0) != 10)
		err(1, "%s", path);
	return (file);
}

/* Opens a directory of the jail, for which no symbolic link is followed. */
static int
open_inside(const char *beneath, int more)
{
	int root = must(open(the.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), the.root), directory;

	directory = must(
	    openat(root, beneath, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | more), beneath);
	close(root);
	return (directory);
}

/* Looks for what a killed process may have left, in the jail's directory, in iocage's, and in the jail. */
static void
look_for_remains(void)
{
	static const char *const inside[] = { ".rc.conf.new", ".resolv.conf.new", ".localtime.new", ".hosts.new" };
	static const char *const own[] = { ".config.json.new", ".fstab.new" };
	static const char *const all[] = { ".defaults.json.new", ".default_rc.conf.new", "..vnet-where-possible.new" };
	char path[256], real[PATH_MAX];
	struct stat found;
	int directory = must(open(the.directory, O_RDONLY | O_CLOEXEC), the.directory);

	must(flock(directory, LOCK_EX), the.directory);
	for (size_t at = 0; at < nitems(own); at++) {
		snprintf(path, sizeof(path), "%s/%s", the.directory, own[at]);
		(void)lstat(path, &found);
	}
	close(directory);
	directory = must(open(ROOT, O_RDONLY | O_CLOEXEC), ROOT);
	must(flock(directory, LOCK_EX), ROOT);
	for (size_t at = 0; at < nitems(all); at++) {
		snprintf(path, sizeof(path), ROOT "/%s", all[at]);
		(void)lstat(path, &found);
	}
	close(directory);
	for (size_t at = 0; at < nitems(inside); at++) {
		if (realpath(the.root, real) == NULL)
			err(1, "%s", the.root);
		directory = open_inside("etc", 0);
		(void)fstatat(directory, inside[at], &found, AT_SYMLINK_NOFOLLOW);
		close(directory);
	}
}

/* Rulesets */

static void
change_ruleset(bool make)
{
	struct devfs_rule rule;
	int number = RULESETS + the.number, device, lock;

	if (!devfs)
		return;
	device = must(open("/dev", O_RDONLY | O_CLOEXEC), "/dev");
	lock = lock_with_pid(ROOM "/rulesets.lock");
	if (make)
		note(83);
	for (size_t at = 0; make && at <= nitems(devices); at++) {
		memset(&rule, 0, sizeof(rule));
		rule.dr_magic = DEVFS_MAGIC;
		rule.dr_id = mkrid((devfs_rsnum)number, 0);
		rule.dr_iacts = DRA_BACTS;
		rule.dr_bacts = at == 0 ? DRB_HIDE : DRB_UNHIDE;
		if (at > 0) {
			rule.dr_icond = DRC_PATHPTRN;
			strlcpy(rule.dr_pathptrn, devices[at - 1], sizeof(rule.dr_pathptrn));
		}
		ASK(device, DEVFSIO_RADD, &rule);
	}
	memset(&rule, 0, sizeof(rule));
	for (;;) {
		if (make)
			break;
		rule.dr_magic = DEVFS_MAGIC;
		rule.dr_id = mkrid((devfs_rsnum)number, 0);
		if (ioctl(device, DEVFSIO_RGETNEXT, &rule) < 0)
			break;
		ASK(device, DEVFSIO_RDEL, &rule.dr_id);
	}
	unlink(ROOM "/rulesets.lock");
	close(lock);
	close(device);
}

/* The child */

enum work { MOUNT, HOLD, RUN, END };
struct message {
	enum work work;
	int jid;
	char fstype[16], from[160], ruleset[8];
};
struct answer {
	int error, jid;
	char room[1028];
};

static void
send_with(int socket, void *bytes, size_t length, const int *descriptors, size_t count)
{
	char control[CMSG_SPACE(4 * sizeof(int))] __aligned(8) = { 0 };
	struct iovec part = { .iov_base = bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int));
		CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&message)->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), descriptors, count * sizeof(int));
	}
	if (sendmsg(socket, &message, MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "sendmsg");
}

static bool
receive_with(int socket, void *bytes, size_t length, int *descriptors)
{
	char control[CMSG_SPACE(4 * sizeof(int))] __aligned(8);
	struct iovec part = { .iov_base = bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *header;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL) != (ssize_t)length)
		return (false);
	if ((header = CMSG_FIRSTHDR(&message)) != NULL && descriptors != NULL)
		memcpy(descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return (true);
}

static struct parameters
jail_parameters(void)
{
	static int vnet = JAIL_SYS_NEW, ip6 = JAIL_SYS_DISABLE, statfs = 2, level = 2, ruleset;
	static struct in_addr address;
	struct parameters parameters = { .count = 0 };

	ruleset = devfs ? RULESETS + the.number : 0;
	add(&parameters, "name", the.kernel_name, strlen(the.kernel_name) + 1);
	add(&parameters, "path", the.root, strlen(the.root) + 1);
	add(&parameters, "host.hostname", the.name, strlen(the.name) + 1);
	add(&parameters, "host.hostuuid", the.name, strlen(the.name) + 1);
	add(&parameters, "devfs_ruleset", &ruleset, sizeof(ruleset));
	add(&parameters, "enforce_statfs", &statfs, sizeof(statfs));
	add(&parameters, "securelevel", &level, sizeof(level));
	if (shared) {
		address.s_addr = htonl(own_address());
		add(&parameters, "ip4.addr", &address, sizeof(address));
		add(&parameters, "ip6", &ip6, sizeof(ip6));
		add(&parameters, "persist", NULL, 0);
	} else
		add(&parameters, "vnet", &vnet, sizeof(vnet));
	add_words(&parameters);
	return (parameters);
}

static void
prepare_child(int socket)
{
	int disable = PROC_TRACE_CTL_DISABLE;

	close_range(0, (unsigned)socket - 1, 0);
	close_range((unsigned)socket + 1, ~0U, 0);
	for (int number = 0; number < 3; number++)
		(void)open("/dev/null", O_RDWR);
	(void)setfib(0);
	(void)procctl(P_PID, getpid(), PROC_TRACE_CTL, &disable);
	(void)chdir("/");
}

static void
run_true(const int *descriptors)
{
	char *const words[] = { (char[]){ "/usr/bin/true" }, NULL };
	char *const environment[] = { (char[]){ "PATH=/sbin:/bin:/usr/sbin:/usr/bin" }, (char[]){ "HOME=/" }, NULL };
	sigset_t none;

	for (int number = 0; number < 3; number++)
		dup2(descriptors[number], number);
	close_range(3, (unsigned)descriptors[3] - 1, 0);
	close_range((unsigned)descriptors[3] + 1, ~0U, 0);
	(void)setfib(0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(words[0], words, environment);
	_exit(127);
}

static int
socket_in(int domain, int kind)
{
	return (must(socket(domain, kind | SOCK_CLOEXEC, 0), "socket"));
}

/* Sends an answer with the sockets that are opened in the jail. */
static void
send_sockets(int theirs, struct answer *answer)
{
	int sockets[3] = { socket_in(AF_INET, SOCK_DGRAM), socket_in(AF_INET6, SOCK_DGRAM),
		socket_in(PF_ROUTE, SOCK_RAW) };

	send_with(theirs, answer, sizeof(*answer), sockets, 3);
	for (int at = 0; at < 3; at++)
		close(sockets[at]);
}

static void
be_the_child(int theirs)
{
	struct message message;
	struct answer answer;
	int descriptors[4];
	bool inside = false;

	prepare_child(theirs);
	while (receive_with(theirs, &message, sizeof(message), descriptors)) {
		struct parameters parameters = { .count = 0 };

		memset(&answer, 0, sizeof(answer));
		switch (message.work) {
		case MOUNT:
			add(&parameters, "fstype", message.fstype, strlen(message.fstype) + 1);
			add(&parameters, "fspath", (char[]){ "." }, 2);
			add(&parameters, "from", message.from, strlen(message.from) + 1);
			if (strcmp(message.fstype, "nullfs") == 0) {
				add(&parameters, "target", message.from, strlen(message.from) + 1);
				add(&parameters, "ro", NULL, 0);
			}
			if (message.ruleset[0] != '\0')
				add(&parameters, "ruleset", message.ruleset, strlen(message.ruleset) + 1);
			add_words(&parameters);
			if (fchdir(descriptors[0]) < 0 || nmount(parameters.list, parameters.count, 0) < 0)
				answer.error = errno;
			close(descriptors[0]);
			(void)chdir("/");
			send_with(theirs, &answer, sizeof(answer), NULL, 0);
			break;
		case HOLD:
			parameters = jail_parameters();
			if ((answer.jid = jail_set(parameters.list, parameters.count, JAIL_CREATE | JAIL_ATTACH)) < 0)
				err(1, "jail_set: %s", parameters.words);
			send_sockets(theirs, &answer);
			inside = true;
			break;
		case END:
			if (jail_attach(message.jid) < 0)
				_exit(126);
			for (int signal = SIGTERM; kill(-1, signal) == 0; signal = 0)
				nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
			send_with(theirs, &answer, sizeof(answer), NULL, 0);
			if (shared)
				break;
			send_sockets(theirs, &answer);
			break;
		case RUN:
			if (!inside && jail_attach(message.jid) < 0)
				_exit(126);
			run_true(descriptors);
		}
	}
	_exit(0);
}

static void
fork_child(void)
{
	sigset_t all, before;
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if ((child = pdfork(&child_descriptor, PD_CLOEXEC)) == 0)
		be_the_child(pair[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	must(child, "pdfork");
	close(pair[1]);
	child_socket = pair[0];
}

static struct answer
ask_child(struct message *message, int descriptor, int *sockets)
{
	struct answer answer;

	if (child < 0)
		fork_child();
	send_with(child_socket, message, sizeof(*message), &descriptor, descriptor < 0 ? 0 : 1);
	if (!receive_with(child_socket, &answer, sizeof(answer), sockets))
		errx(1, "%s: no answer", the.name);
	if (answer.error != 0)
		errc(1, answer.error, "%s: the child", the.name);
	return (answer);
}

/* Waits for the end of the child, and returns its status. */
static int
leave_child(void)
{
	struct pollfd polled = { .fd = child_descriptor };
	int status;

	close(child_socket);
	must(poll(&polled, 1, -1), "poll");
	must(waitpid(child, &status, 0), "waitpid");
	close(child_descriptor);
	child = -1;
	return (status);
}

static void
run_inside(void)
{
	struct message message = { .work = RUN, .jid = the.jid };
	struct stat found;
	char path[160], byte;
	int descriptors[4], trouble[2];

	must(stat(ROOT "/log", &found), ROOT "/log");
	snprintf(path, sizeof(path), ROOT "/log/%s-console.log", the.name);
	descriptors[1] = must(open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600), path);
	descriptors[0] = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
	descriptors[2] = must(fcntl(descriptors[1], F_DUPFD_CLOEXEC, 3), "dup");
	must(pipe2(trouble, O_CLOEXEC), "pipe2");
	descriptors[3] = trouble[1];
	if (child < 0)
		fork_child();
	send_with(child_socket, &message, sizeof(message), descriptors, 4);
	for (int at = 0; at < 4; at++)
		close(descriptors[at]);
	/* Closed by execve. */
	if (read(trouble[0], &byte, 1) != 0)
		errx(1, "%s: no program", the.name);
	close(trouble[0]);
	if (leave_child() != 0)
		errx(1, "%s: the program failed", the.name);
}

/* Mounts */

static void
mount_one(const char *fstype, const char *from, const char *beneath)
{
	struct message message = { .work = MOUNT };
	struct statfs mounted;
	struct stat one, other;
	char path[256];
	int directory;

	strlcpy(message.fstype, fstype, sizeof(message.fstype));
	strlcpy(message.from, from, sizeof(message.from));
	if (strcmp(fstype, "devfs") == 0)
		snprintf(message.ruleset, sizeof(message.ruleset), "%d", RULESETS + the.number);
	note(62);
	directory = open_inside(beneath, O_RESOLVE_BENEATH);
	if (strcmp(fstype, "nullfs") == 0) {
		must(stat(from, &one), from);
		must(fstat(directory, &other), beneath);
	}
	ask_child(&message, directory, NULL);
	close(directory);
	snprintf(path, sizeof(path), "%s/%s", the.root, beneath);
	must(statfs(path, &mounted), path);
}

static void
mount_all(void)
{
	char from[160];

	for (size_t at = 0; at < nullfs; at++) {
		snprintf(from, sizeof(from), ROOT "/release/%s", base[at]);
		mount_one("nullfs", from, base[at]);
	}
	if (devfs) {
		mount_one("devfs", "devfs", "dev");
		mount_one("fdescfs", "fdescfs", "dev/fd");
	}
}

static void
unmount_one(const char *beneath)
{
	struct statfs mounted;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", the.root, beneath);
	must(statfs(path, &mounted), path);
	snprintf(path, sizeof(path), "FSID:%d:%d", mounted.f_fsid.val[0], mounted.f_fsid.val[1]);
	must(unmount(path, MNT_BYFSID | MNT_FORCE), path);
}

static void
unmount_all(void)
{
	if (devfs) {
		unmount_one("dev/fd");
		unmount_one("dev");
	}
	for (size_t at = nullfs; at > 0; at--)
		unmount_one(base[at - 1]);
}

/* Networks */

static void
set_mac(int socket, const char *name, unsigned char end)
{
	struct ifreq request = on(name);
	unsigned char mac[] = { 0x02, 0xff, 0x60, (unsigned char)(the.number >> 8), (unsigned char)the.number, end };

	request.ifr_addr.sa_len = sizeof(mac);
	memcpy(request.ifr_addr.sa_data, mac, sizeof(mac));
	ASK(socket, SIOCSIFLLADDR, &request);
}

static void
wire(void)
{
	struct message message = { .work = HOLD };
	struct parameters parameters = { .count = 0 };
	struct ifreq request;
	char host_end[IFNAMSIZ], description[128];
	int in[3], lock;

	note(28);
	the.jid = ask_child(&message, -1, in).jid;
	note(69);
	request = on("epair0");
	ASK(in[0], SIOCIFCREATE2, &request);
	set_name(in[0], "epair0b", (char[]){ "epair0b" });
	snprintf(host_end, sizeof(host_end), "vnet0.%d", the.jid);
	if (has_interface(host_end))
		errx(1, "%s is there", host_end);
	note(23);
	set_name(in[0], "epair0a", host_end);
	set_mac(in[0], host_end, 0x0a);
	set_mac(in[0], "epair0b", 0x0b);
	set_mtu(in[0], host_end);
	set_mtu(in[0], "epair0b");
	snprintf(description, sizeof(description), "associated with jail: %s as nic: epair0b", the.name);
	request = on(host_end);
	request.ifr_buffer.buffer = description;
	request.ifr_buffer.length = strlen(description) + 1;
	ASK(in[0], SIOCSIFDESCR, &request);
	if (has_interface(host_end))
		errx(1, "%s is there", host_end);
	request = on(host_end);
	request.ifr_jid = the.jid;
	ASK(host(), SIOCSIFRVNET, &request);
	lock = take_lock(ROOM, O_RDONLY, LOCK_SH | LOCK_NB);
	add_member(BRIDGE, host_end);
	bring_up(host(), host_end);
	bring_up(in[0], "lo0");
	find_address(in[0], "lo0", INADDR_LOOPBACK);
	add_address(in[0], "lo0", INADDR_LOOPBACK, 0xff000000);
	add_address(in[0], "epair0b", own_address(), 0xffff0000);
	default_route(in[2], (198U << 24) + (18U << 16) + 1);
	close(lock);
	add(&parameters, "jid", &the.jid, sizeof(the.jid));
	add(&parameters, "persist", NULL, 0);
	add_words(&parameters);
	must(jail_set(parameters.list, parameters.count, JAIL_UPDATE), parameters.words);
	release(&parameters);
	for (int at = 0; at < 3; at++)
		close(in[at]);
}

static void
share(void)
{
	struct parameters parameters = jail_parameters();

	note(34);
	find_address(host(), "lo0", own_address());
	add_address(host(), "lo0", own_address(), 0xffffffff);
	note(28);
	the.jid = must(jail_set(parameters.list, parameters.count, JAIL_CREATE), "jail_set");
	note(69);
	release(&parameters);
}

static void
start(void)
{
	char config[4096], fstab[8192], conf[600] = { 'x' }, name[80];
	struct stat found;
	size_t length;
	int directory;

	length = read_file(the.directory, "config.json", config, sizeof(config));
	read_file(the.directory, "fstab", fstab, sizeof(fstab));
	the.lock = lock_with_pid(the.lock_path);
	(void)open(the.journal_path, O_RDONLY | O_CLOEXEC);
	find_jail(the.kernel_name, 0);
	look_for_remains();
	find_jail(the.kernel_name, 0);
	must(stat(the.root, &found), the.root);
	change_ruleset(true);
	mount_all();
	if (shared)
		share();
	else
		wire();
	note(47);
	snprintf(name, sizeof(name), "jail.c-%s.conf", the.name);
	replace_file("/var/run", name, conf, sizeof(conf), false);
	directory = open_inside("etc", 0);
	(void)openat(directory, "rc.conf", O_RDONLY | O_CLOEXEC);
	close(directory);
	if (devfs) {
		directory = open_inside("dev", 0);
		must(symlinkat("../var/run/log", directory, "log"), "log");
		close(directory);
	}
	run_inside();
	directory = must(open(the.directory, O_RDONLY | O_CLOEXEC), the.directory);
	must(flock(directory, LOCK_EX), the.directory);
	read_file(the.directory, "config.json", config, sizeof(config));
	replace_file(the.directory, "config.json", config, length, true);
	close(directory);
	note(20);
	close(the.journal);
	close(the.lock);
	printf("up\n");
	fflush(stdout);
}

static void
stop(void)
{
	char config[4096], fstab[8192], journal[4096], path[160], host_end[IFNAMSIZ];
	struct message message = { .work = END };
	struct answer answer;
	struct ifreq request;
	struct sockaddr_in address = ipv4(own_address());
	int in[3];

	read_file(the.directory, "config.json", config, sizeof(config));
	read_file(the.directory, "fstab", fstab, sizeof(fstab));
	the.lock = lock_with_pid(the.lock_path);
	read_file(ROOM, strrchr(the.journal_path, '/') + 1, journal, sizeof(journal));
	the.jid = must(find_jail(the.kernel_name, 0), "jail_get");
	look_for_remains();
	run_inside();
	message.jid = the.jid;
	snprintf(path, sizeof(path), "/var/run/jail.c-%s.conf", the.name);
	must(unlink(path), path);
	ask_child(&message, -1, NULL);
	if (!shared) {
		if (!receive_with(child_socket, &answer, sizeof(answer), in))
			errx(1, "%s: no sockets", the.name);
		snprintf(host_end, sizeof(host_end), "vnet0.%d", the.jid);
		if (!has_interface(host_end))
			errx(1, "no %s", host_end);
		request = on(host_end);
		ASK(host(), SIOCIFDESTROY, &request);
		for (int at = 0; at < 3; at++)
			close(in[at]);
	}
	leave_child();
	must(jail_remove(the.jid), "jail_remove");
	unmount_all();
	change_ruleset(false);
	if (shared) {
		request = on("lo0");
		memcpy(&request.ifr_addr, &address, sizeof(address));
		ASK(host(), SIOCDIFADDR, &request);
	}
	unlink(the.journal_path);
	unlink(the.lock_path);
	close(the.lock);
}

int
main(int argc, char **argv)
{
	static const char *const kinds[] = { "none", "plain", "seven", "base", "shared" };
	static const size_t directories[] = { 0, 0, 5, nitems(base), 0 };
	struct rusage usage;
	size_t kind;
	int count;

	if (argc != 4 || (count = atoi(argv[3])) <= 0)
		errx(2, "usage: command start|stop none|plain|seven|base|shared JAILS");
	for (kind = 0; kind < nitems(kinds) && strcmp(argv[2], kinds[kind]) != 0; kind++)
		;
	if (kind == nitems(kinds))
		errx(2, "what is %s?", argv[2]);
	nullfs = directories[kind];
	devfs = kind != 0;
	shared = strcmp(argv[2], "shared") == 0;
	if (mkdir(ROOM, 0700) < 0 && errno != EEXIST)
		err(1, ROOM);
	read_sysctl("kern.features.vimage");
	if (!shared) {
		dump_interfaces();
		list_members(BRIDGE);
	}
	for (int number = 0; number < count; number++) {
		choose(number);
		if (strcmp(argv[1], "start") == 0)
			start();
		else
			stop();
	}
	rmdir(ROOM);
	getrusage(RUSAGE_SELF, &usage);
	printf("memory %ld\n", usage.ru_maxrss);
	return (0);
}
