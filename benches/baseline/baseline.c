/*
 * Makes the requests with which jailwire's library starts and stops jails, without the library: the same
 * requests in the same order. The benchmark compares the two under ktrace(1) before it measures.
 *
 *     baseline vnet|shared each|once|files JAILS [BRIDGE]
 *
 * `each` reads the state of the host before every start, as the library does for one jail. `once` reads it before
 * the first start, as the library does for many. `files` is `each` with the library's work on files: a lock and a
 * journal for each jail, of the same length but without real contents, and the lock on shared objects. Jails, names
 * and addresses are those of benches/start_stop/jails.rs.
 *
 * The program waits for a line of standard input, starts the jails, and writes `start US`. It waits for another line,
 * stops the jails, and writes `stop US`, `memory KIB`, and for each kind of step `step NAME` TAB `US`, for all jails
 * together. With ten jails or more, it writes `up JAILS US` after each tenth of them.
 */
#include "requests.h"

enum step {
	LOOK, HOLD, EPAIR, NAMES, MACS, MTU, DESCRIPTION, TAKE_OUT, JOIN, UP, LO0, ADDRESSES, ROUTE, COMMIT,
	ALIASES, CREATE, DESTROY, REMOVE, UNALIAS, STEPS
};
static const char *const step_names[STEPS] = {
	"look", "hold jail", "create epair", "names", "MACs", "MTU", "description", "take out",
	"join bridge", "bring up", "lo0", "addresses", "default route", "commit",
	"aliases", "create jail", "destroy epair", "remove jail", "remove alias"
};
static uint64_t spent[STEPS];

/* The directory of the locks and journals, which only `files` uses. */
#define ROOM "/var/run/jailwire-baseline"
#define LOCK_LENGTH 10
#define FIRST_LENGTH 82
#define FIRST_SHARED_LENGTH 94
#define EPAIR_LENGTH 23
#define JAIL_LENGTH 21
#define COMPLETE_LENGTH 20
static bool with_files;
static int jail_lock, journal = -1, shared_lock;
static char lock_path[96], journal_path[96], attaching_path[96];

/* The jail's sockets, in the order in which the child sends them. */
struct inside {
	int inet, inet6, route;
};

struct child {
	pid_t pid;
	int descriptor, socket;
};

/* Adds the time since `*begin` to a step, and begins the next step. */
static void
done(enum step step, uint64_t *begin)
{
	uint64_t end = now();

	spent[step] += end - *begin;
	*begin = end;
}

static void
write_letters(int file, size_t length)
{
	static const char letters[128] = { 'x' };

	if (write(file, letters, length) != (ssize_t)length)
		err(1, "write");
}

static int
lock(const char *path, int flags, int how)
{
	struct stat held, found;
	int file = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0 || flock(file, how | LOCK_NB) < 0 || fstat(file, &held) < 0 || lstat(path, &found) < 0)
		err(1, "%s", path);
	return (file);
}

static void
lock_jail(const char *name)
{
	if (!with_files)
		return;
	snprintf(lock_path, sizeof(lock_path), ROOM "/%s.lock", name);
	snprintf(journal_path, sizeof(journal_path), ROOM "/%s.journal", name);
	snprintf(attaching_path, sizeof(attaching_path), ROOM "/%s.attaching", name);
	jail_lock = lock(lock_path, O_RDWR | O_CREAT, LOCK_EX);
	(void)getpid();
	write_letters(jail_lock, LOCK_LENGTH);
}

/* Writes to the journal: before a jail or an alias is made, before an epair has its name, and when a jail is up. */
static void
note(size_t length)
{
	if (!with_files)
		return;
	if (journal < 0 && (journal = open(journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0)
		err(1, "%s", journal_path);
	write_letters(journal, length);
}

static void
lock_shared(void)
{
	if (with_files)
		shared_lock = lock(ROOM, O_RDONLY, LOCK_SH);
}

static void
unlock_shared(void)
{
	if (with_files)
		close(shared_lock);
}

static void
end_start(void)
{
	struct stat found;

	if (!with_files)
		return;
	note(COMPLETE_LENGTH);
	close(journal);
	journal = -1;
	if (stat(journal_path, &found) < 0)
		err(1, "%s", journal_path);
	close(jail_lock);
}

static void
read_journal(void)
{
	char text[256];
	struct stat found;
	int file;

	if (!with_files)
		return;
	if ((file = open(journal_path, O_RDONLY | O_CLOEXEC)) < 0) {
		if (errno != ENOENT)
			err(1, "%s", journal_path);
		return;
	}
	if (fstat(file, &found) < 0 || read(file, text, (size_t)found.st_size) < 0 || read(file, text, 32) < 0)
		err(1, "%s", journal_path);
	close(file);
}

/* Nothing is being attached, and nothing is shared. */
static void
look_for(const char *path)
{
	struct stat found;

	if (with_files && stat(path, &found) == 0)
		errx(1, "%s is there", path);
}

static void
end_stop(void)
{
	struct stat found;

	if (!with_files)
		return;
	if (lstat(ROOM "/shared", &found) == 0)
		errx(1, "something is shared");
	unlink(journal_path);
	look_for(ROOM "/shared");
	look_for(journal_path);
	unlink(lock_path);
	close(jail_lock);
}

/* The state of the host that the library reads before it makes a plan. */
static void
look(bool vnet, char *name, const char *bridge)
{
	struct stat root;

	read_sysctl("kern.features.vimage");
	read_sysctl("net.link.bridge.member_ifaddrs");
	if (vnet) {
		dump_interfaces();
		list_members(bridge);
	}
	find_jail(name, 0);
	stat("/", &root);
}

#define REPORT 1036

/* Runs in the child: makes the jail, opens sockets in it, sends them to the parent, and stays. */
static void
inside_child(int theirs, struct parameters *parameters)
{
	char report[REPORT] = { 0 }, byte;
	char control[CMSG_SPACE(3 * sizeof(int))] __aligned(8) = { 0 };
	int disable = PROC_TRACE_CTL_DISABLE, sockets[3];
	struct iovec part = { .iov_base = report, .iov_len = sizeof(report) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *header = (struct cmsghdr *)(void *)control;
	int jid;

	close_range(0, (unsigned)theirs - 1, 0);
	close_range((unsigned)theirs + 1, ~0U, 0);
	if (setfib(0) < 0)
		_exit(2);
	if (procctl(P_PID, getpid(), PROC_TRACE_CTL, &disable) < 0 && errno != EBUSY)
		_exit(3);
	if ((jid = jail_set(parameters->list, parameters->count, JAIL_CREATE | JAIL_ATTACH)) < 0)
		_exit(4);
	sockets[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sockets[1] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sockets[2] = socket(PF_ROUTE, SOCK_RAW | SOCK_CLOEXEC, 0);
	memcpy(report + 8, &jid, sizeof(jid));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(sockets));
	memcpy(CMSG_DATA(header), sockets, sizeof(sockets));
	if (sendmsg(theirs, &message, MSG_NOSIGNAL) < 0)
		_exit(5);
	close_range(0, (unsigned)theirs - 1, 0);
	close_range((unsigned)theirs + 1, ~0U, 0);
	while (read(theirs, &byte, 1) > 0)
		;
	_exit(0);
}

static int
hold(char *name, struct inside *inside, struct child *child)
{
	struct parameters parameters = { .count = 0 };
	int ruleset = 0, new = JAIL_SYS_NEW, pair[2], sockets[3], jid;
	char report[REPORT], control[CMSG_SPACE(8 * sizeof(int))] __aligned(8);
	struct iovec part = { .iov_base = report, .iov_len = sizeof(report) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct pollfd polled;
	sigset_t all, before;

	add(&parameters, "name", name, strlen(name) + 1);
	add(&parameters, "path", (char[]){ "/" }, 2);
	add(&parameters, "devfs_ruleset", &ruleset, sizeof(ruleset));
	add(&parameters, "vnet", &new, sizeof(new));
	add_words(&parameters);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		err(1, "socketpair");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if ((child->pid = pdfork(&child->descriptor, PD_CLOEXEC)) == 0)
		inside_child(pair[1], &parameters);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child->pid < 0)
		err(1, "pdfork");
	close(pair[1]);
	child->socket = pair[0];
	polled = (struct pollfd){ .fd = pair[0], .events = POLLIN };
	if (poll(&polled, 1, 60000) != 1 || recvmsg(pair[0], &message, MSG_CMSG_CLOEXEC) != sizeof(report))
		errx(1, "no answer from the jail");
	memcpy(sockets, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(sockets));
	memcpy(&jid, report + 8, sizeof(jid));
	for (int at = 0; at < 3; at++) {
		int domain;
		socklen_t length = sizeof(domain);

		if (getsockopt(sockets[at], SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0)
			err(1, "SO_DOMAIN");
	}
	*inside = (struct inside){ sockets[0], sockets[1], sockets[2] };
	release(&parameters);
	return (jid);
}

static void
set_mac(int socket, const char *name, int end, int number)
{
	struct ifreq request = on(name);
	unsigned char mac[] = { 2, 0, (unsigned char)end, 0, (unsigned char)(number >> 8), (unsigned char)number };

	request.ifr_addr.sa_len = sizeof(mac);
	memcpy(request.ifr_addr.sa_data, mac, sizeof(mac));
	ASK(socket, SIOCSIFLLADDR, &request);
}

static void
commit(int jid, struct inside *inside, struct child *child)
{
	struct parameters parameters = { .count = 0 };
	struct pollfd polled = { .fd = child->descriptor };
	int status;

	add(&parameters, "jid", &jid, sizeof(jid));
	add(&parameters, "persist", NULL, 0);
	add_words(&parameters);
	if (jail_set(parameters.list, parameters.count, JAIL_UPDATE) < 0)
		err(1, "jail_set: %s", parameters.words);
	release(&parameters);
	pdkill(child->descriptor, SIGKILL);
	poll(&polled, 1, 2000);
	waitpid(child->pid, &status, 0);
	close(child->descriptor);
	close(child->socket);
	close(inside->inet);
	close(inside->inet6);
	close(inside->route);
}

static void
start_vnet(int number, char *name, const char *bridge, char *host_end)
{
	struct inside in;
	struct child child;
	struct ifreq request;
	char description[128];
	uint64_t begin = now();
	uint32_t address = (10U << 24) + (1U << 16) + (uint32_t)number;
	int jid;

	note(FIRST_LENGTH);
	jid = hold(name, &in, &child);

	done(HOLD, &begin);
	request = on("epair0");
	ASK(in.inet, SIOCIFCREATE2, &request);
	done(EPAIR, &begin);
	set_name(in.inet, "epair0b", (char[]){ "epair0b" });
	snprintf(host_end, IFNAMSIZ, "vnet0.%d", jid);
	if (has_interface(host_end))
		errx(1, "%s is there", host_end);
	note(EPAIR_LENGTH);
	set_name(in.inet, "epair0a", host_end);
	done(NAMES, &begin);
	set_mac(in.inet, host_end, 1, number);
	set_mac(in.inet, "epair0b", 2, number);
	done(MACS, &begin);
	set_mtu(in.inet, host_end);
	set_mtu(in.inet, "epair0b");
	done(MTU, &begin);
	snprintf(description, sizeof(description), "associated with jail: %s as nic: epair0b", name);
	request = on(host_end);
	request.ifr_buffer.buffer = description;
	request.ifr_buffer.length = strlen(description) + 1;
	ASK(in.inet, SIOCSIFDESCR, &request);
	done(DESCRIPTION, &begin);
	if (has_interface(host_end))
		errx(1, "%s is there", host_end);
	request = on(host_end);
	request.ifr_jid = jid;
	ASK(host(), SIOCSIFRVNET, &request);
	done(TAKE_OUT, &begin);
	lock_shared();
	if (!has_interface(bridge))
		errx(1, "no %s", bridge);
	add_member(bridge, host_end);
	done(JOIN, &begin);
	bring_up(host(), host_end);
	done(UP, &begin);
	bring_up(in.inet, "lo0");
	find_address(in.inet, "lo0", INADDR_LOOPBACK);
	add_address(in.inet, "lo0", INADDR_LOOPBACK, 0xff000000);
	done(LO0, &begin);
	add_address(in.inet, "epair0b", address, 0xffff0000);
	done(ADDRESSES, &begin);
	default_route(in.route, (10U << 24) + (1U << 16) + 1);
	done(ROUTE, &begin);
	unlock_shared();
	commit(jid, &in, &child);
	done(COMMIT, &begin);
}

static uint32_t
shared_address(int number)
{
	return ((127U << 24) + (1U << 16) + (uint32_t)number);
}

static void
start_shared(int number, char *name)
{
	struct parameters parameters = { .count = 0 };
	struct in_addr address = { htonl(shared_address(number)) };
	int ruleset = 0, disable = JAIL_SYS_DISABLE;
	uint64_t begin = now();

	note(FIRST_SHARED_LENGTH);
	add_address(host(), "lo0", shared_address(number), 0xffffffff);
	done(ALIASES, &begin);
	add(&parameters, "name", name, strlen(name) + 1);
	add(&parameters, "path", (char[]){ "/" }, 2);
	add(&parameters, "devfs_ruleset", &ruleset, sizeof(ruleset));
	add(&parameters, "ip4.addr", &address, sizeof(address));
	add(&parameters, "ip6", &disable, sizeof(disable));
	add(&parameters, "ip4.saddrsel", NULL, 0);
	add(&parameters, "ip6.saddrsel", NULL, 0);
	add(&parameters, "persist", NULL, 0);
	add_words(&parameters);
	note(JAIL_LENGTH);
	if (jail_set(parameters.list, parameters.count, JAIL_CREATE) < 0)
		err(1, "jail_set: %s", parameters.words);
	release(&parameters);
	done(CREATE, &begin);
}

static void
remove_jail(char *name)
{
	struct parameters parameters = { .count = 0 };
	struct timespec wait = { .tv_nsec = 1000000 };
	int jid = find_jail(name, 0);

	if (jid < 0 || jail_remove(jid) < 0)
		err(1, "jail_remove");
	if ((jid = find_jail(name, JAIL_DYING)) < 0)
		return;
	add(&parameters, "jid", &jid, sizeof(jid));
	add_words(&parameters);
	while (jail_get(parameters.list, parameters.count, JAIL_DYING) >= 0) {
		nanosleep(&wait, NULL);
		wait.tv_nsec = MIN(2 * wait.tv_nsec, 50000000);
	}
	release(&parameters);
}

static void
stop_vnet(char *name, const char *host_end)
{
	struct ifreq request = on(host_end);
	uint64_t begin = now();

	if (!has_interface(host_end))
		errx(1, "no %s", host_end);
	ASK(host(), SIOCIFDESTROY, &request);
	done(DESTROY, &begin);
	remove_jail(name);
	done(REMOVE, &begin);
}

static void
stop_shared(int number, char *name)
{
	struct ifreq request = on("lo0");
	struct sockaddr_in address = ipv4(shared_address(number));
	uint64_t begin = now();

	remove_jail(name);
	done(REMOVE, &begin);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	ASK(host(), SIOCDIFADDR, &request);
	done(UNALIAS, &begin);
}

static void
wait_for_a_line(void)
{
	char line[8];

	if (fgets(line, sizeof(line), stdin) == NULL)
		errx(1, "nobody says when");
}

int
main(int argc, char **argv)
{
	static char room[BUFSIZ];
	char name[32], (*host_ends)[IFNAMSIZ];
	const char *bridge = argc > 4 ? argv[4] : "";
	struct rusage usage;
	uint64_t begin, step, up[10] = { 0 };
	int count;
	bool vnet, each;

	if (argc < 4 || (count = atoi(argv[3])) <= 0)
		errx(2, "usage: baseline vnet|shared each|once|files JAILS [BRIDGE]");
	vnet = strcmp(argv[1], "vnet") == 0;
	with_files = strcmp(argv[2], "files") == 0;
	each = with_files || strcmp(argv[2], "each") == 0;
	if (with_files && mkdir(ROOM, 0700) < 0 && errno != EEXIST)
		err(1, ROOM);
	if ((host_ends = calloc((size_t)count, IFNAMSIZ)) == NULL)
		err(1, "calloc");

	/* With a buffer of its own, stdio does not call fstat(2) on standard output. */
	setvbuf(stdout, room, _IOFBF, sizeof(room));
	wait_for_a_line();
	begin = now();
	for (int jail = 0; jail < count; jail++) {
		snprintf(name, sizeof(name), "bench%d", jail);
		step = now();
		lock_jail(name);
		read_journal();
		if (each)
			find_jail(name, 0);
		look_for(attaching_path);
		if (each || jail == 0)
			look(vnet, name, bridge);
		else
			find_jail(name, 0);
		if (!vnet)
			find_address(host(), "lo0", shared_address(jail + 2));
		done(LOOK, &step);
		if (vnet)
			start_vnet(jail + 2, name, bridge, host_ends[jail]);
		else
			start_shared(jail + 2, name);
		end_start();
		if ((jail + 1) * 10 % count < 10)
			up[(jail + 1) * 10 / count - 1] = now() - begin;
	}
	printf("start %ju\n", (uintmax_t)(now() - begin));
	for (int tenth = 1; tenth <= 10 && count >= 10; tenth++)
		printf("up %d %ju\n", (count * tenth + 9) / 10, (uintmax_t)up[tenth - 1]);
	printf("\n");
	fflush(stdout);

	wait_for_a_line();
	begin = now();
	for (int jail = 0; jail < count; jail++) {
		snprintf(name, sizeof(name), "bench%d", jail);
		lock_jail(name);
		look_for(attaching_path);
		read_journal();
		if (!each)
			find_jail(name, 0);
		/* Checks that the jail still runs. The epair of a jail that is gone goes by itself. */
		find_jail(name, 0);
		if (vnet)
			stop_vnet(name, host_ends[jail]);
		else
			stop_shared(jail + 2, name);
		end_stop();
	}
	printf("stop %ju\n", (uintmax_t)(now() - begin));
	if (with_files)
		rmdir(ROOM);
	getrusage(RUSAGE_SELF, &usage);
	printf("memory %ld\n", usage.ru_maxrss);
	for (int at = 0; at < STEPS; at++)
		if (spent[at] > 0)
			printf("step %s\t%ju\n", step_names[at], (uintmax_t)(spent[at]));
	return (0);
}
