/*
 * Requests to the kernel that the C programs have in common.
 */
#include <sys/param.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/jail.h>
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <net/if.h>
#include <net/ethernet.h>
#include <net/bridgestp.h>
#include <net/if_bridgevar.h>
#include <net/if_dl.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <arpa/inet.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The host's sockets, which are opened when they are needed. */
static int host_inet = -1;

static inline uint64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return ((uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000);
}

static inline int
host(void)
{
	if (host_inet < 0 && (host_inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		err(1, "socket");
	return (host_inet);
}

static inline void
ask(int socket, unsigned long request, void *argument, const char *name)
{
	if (ioctl(socket, request, argument) < 0)
		err(1, "%s", name);
}
#define ASK(socket, request, argument) ask(socket, request, argument, #request)

static inline struct ifreq
on(const char *name)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	return (request);
}

static inline bool
has_interface(const char *name)
{
	struct ifreq request = on(name);

	if (ioctl(host(), SIOCGIFINDEX, &request) == 0)
		return (true);
	if (errno != ENXIO)
		err(1, "SIOCGIFINDEX");
	return (false);
}

/* A sysctl is read twice: first for its length, then for its value. */
static inline void
read_sysctl(const char *name)
{
	char value[64];
	size_t length = 0;

	if (sysctlbyname(name, NULL, &length, NULL, 0) < 0)
		return;
	length = MIN(length + length / 8 + 64, sizeof(value));
	sysctlbyname(name, value, &length, NULL, 0);
}

static inline void
dump_interfaces(void)
{
	int name[] = { CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLISTL, 0 };
	size_t length = 0;
	char *dump;

	if (sysctl(name, nitems(name), NULL, &length, NULL, 0) < 0)
		err(1, "NET_RT_IFLISTL");
	length += length / 8 + 64;
	if ((dump = malloc(length)) == NULL || sysctl(name, nitems(name), dump, &length, NULL, 0) < 0)
		err(1, "NET_RT_IFLISTL");
	free(dump);
}

static inline void
list_members(const char *bridge)
{
	uint32_t room = 64 * sizeof(struct ifbreq);

	for (;; room *= 4) {
		struct ifbifconf list = { .ifbic_len = room };
		struct ifdrv command = { .ifd_cmd = BRDGGIFS, .ifd_len = sizeof(list), .ifd_data = &list };

		strlcpy(command.ifd_name, bridge, sizeof(command.ifd_name));
		if ((list.ifbic_buf = calloc(1, room)) == NULL)
			err(1, "calloc");
		ASK(host(), SIOCGDRVSPEC, &command);
		free(list.ifbic_buf);
		if (list.ifbic_len + sizeof(struct ifbreq) <= room)
			return;
	}
}

static inline void
add_member(const char *bridge, const char *name)
{
	struct ifbreq member = { .ifbr_ifsflags = 0 };
	struct ifdrv command = { .ifd_cmd = BRDGADD, .ifd_len = sizeof(member), .ifd_data = &member };

	strlcpy(member.ifbr_ifsname, name, sizeof(member.ifbr_ifsname));
	strlcpy(command.ifd_name, bridge, sizeof(command.ifd_name));
	ASK(host(), SIOCSDRVSPEC, &command);
}

/* A list of parameters of jail_set(2) and jail_get(2). The buffer for the kernel's message is the last. */
struct parameters {
	struct iovec list[24];
	unsigned count;
	char words[1024];
};

static inline void
add(struct parameters *parameters, const char *name, void *value, size_t length)
{
	parameters->list[parameters->count++] =
	    (struct iovec){ .iov_base = strdup(name), .iov_len = strlen(name) + 1 };
	parameters->list[parameters->count++] = (struct iovec){ .iov_base = value, .iov_len = length };
}

static inline void
add_words(struct parameters *parameters)
{
	memset(parameters->words, 0, sizeof(parameters->words));
	add(parameters, "errmsg", parameters->words, sizeof(parameters->words));
}

static inline void
release(struct parameters *parameters)
{
	for (unsigned at = 0; at < parameters->count; at += 2)
		free(parameters->list[at].iov_base);
}

static inline int
find_jail(char *name, int flags)
{
	struct parameters parameters = { .count = 0 };
	int jid;

	add(&parameters, "name", name, strlen(name) + 1);
	add_words(&parameters);
	if ((jid = jail_get(parameters.list, parameters.count, flags)) < 0 && errno != ENOENT)
		err(1, "jail_get: %s", parameters.words);
	release(&parameters);
	return (jid);
}

static inline void
set_name(int socket, const char *old, char *new)
{
	struct ifreq request = on(old);
	char name[IFNAMSIZ] = { 0 };

	strlcpy(name, new, sizeof(name));
	request.ifr_data = name;
	ASK(socket, SIOCSIFNAME, &request);
}

static inline void
set_mtu(int socket, const char *name)
{
	struct ifreq request = on(name);

	request.ifr_mtu = 1500;
	ASK(socket, SIOCSIFMTU, &request);
}

static inline void
bring_up(int socket, const char *name)
{
	struct ifreq request = on(name);

	ASK(socket, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	ASK(socket, SIOCSIFFLAGS, &request);
}

static inline struct sockaddr_in
ipv4(uint32_t address)
{
	return ((struct sockaddr_in){ .sin_len = sizeof(struct sockaddr_in), .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(address) });
}

static inline void
add_address(int socket, const char *name, uint32_t address, uint32_t mask)
{
	struct in_aliasreq request;

	memset(&request, 0, sizeof(request));
	strlcpy(request.ifra_name, name, sizeof(request.ifra_name));
	request.ifra_addr = ipv4(address);
	request.ifra_mask = ipv4(mask);
	ASK(socket, SIOCAIFADDR, &request);
}

/* Whether an address is on an interface already. */
static inline void
find_address(int socket, const char *name, uint32_t address)
{
	struct in_aliasreq request;

	memset(&request, 0, sizeof(request));
	strlcpy(request.ifra_name, name, sizeof(request.ifra_name));
	request.ifra_addr = ipv4(address);
	if (ioctl(socket, SIOCGIFALIAS, &request) < 0 && errno != EADDRNOTAVAIL)
		err(1, "SIOCGIFALIAS");
}

/* A new stack has no default route, so none is looked for. */
static inline void
default_route(int socket, uint32_t router)
{
	static int sequence;
	struct {
		struct rt_msghdr header;
		struct sockaddr_in destination, gateway, mask;
	} change;

	memset(&change, 0, sizeof(change));
	change.header = (struct rt_msghdr){ .rtm_version = RTM_VERSION, .rtm_type = RTM_ADD,
		.rtm_addrs = RTA_DST | RTA_GATEWAY | RTA_NETMASK,
		.rtm_flags = RTF_UP | RTF_STATIC | RTF_GATEWAY, .rtm_seq = ++sequence };
	change.header.rtm_msglen = sizeof(change);
	change.destination = ipv4(0);
	change.gateway = ipv4(router);
	change.mask = ipv4(0);
	if (write(socket, &change, sizeof(change)) < 0)
		err(1, "RTM_ADD");
}
