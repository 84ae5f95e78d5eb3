/*
 * Makes the requests with which jailwire's library changes the packet filters, without the library: the same requests
 * in the same order, with the same contents. The benchmark compares the two under ktrace(1) before it measures.
 *
 *     change pf|ipfw CHANGES
 *
 * With pf, a change replaces the rules of one anchor, and removes the anchor. With ipfw, a change makes an instance of
 * NAT, a table and a rule, and removes them. It writes `change US`, for all changes together. The rules are those of
 * benches/change/library.rs.
 */
#include <sys/param.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <net/if.h>
#include <net/pfvar.h>
#include <netinet/in.h>
#include <netinet/ip_fw.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANCHOR "jailwire-bench/one"
#define INTERFACE "bench0"
#define HOST "203.0.113.1"
#define JAIL "10.93.0.99"

static void
ask(int file, unsigned long request, void *argument, const char *name)
{
	if (ioctl(file, request, argument) < 0)
		err(1, "%s", name);
}
#define ASK(file, request, argument) ask(file, request, argument, #request)

static void
put_host(struct pf_addr_wrap *wrap, const char *address)
{
	wrap->type = PF_ADDR_ADDRMASK;
	if (address == NULL)
		return;
	inet_pton(AF_INET, address, &wrap->v.a.addr.v4);
	memset(&wrap->v.a.mask.v4, 0xff, sizeof(wrap->v.a.mask.v4));
}

/* The elements of a transaction: nat, rdr and filter rules, and tables where `size` is 4. */
static void
begin(int file, struct pfioc_trans *transaction, struct pfioc_trans_e *elements, int size)
{
	static const int kinds[] = { PF_RULESET_NAT, PF_RULESET_RDR, PF_RULESET_FILTER, PF_RULESET_TABLE };

	memset(elements, 0, sizeof(*elements) * (size_t)size);
	for (int at = 0; at < size; at++) {
		elements[at].rs_num = kinds[at];
		strlcpy(elements[at].anchor, ANCHOR, sizeof(elements[at].anchor));
	}
	*transaction = (struct pfioc_trans){ .size = size, .esize = sizeof(*elements), .array = elements };
	ASK(file, DIOCXBEGIN, transaction);
}

static void
add_pf_rule(int file, uint32_t ticket, const struct pf_rule *rule, const char *address)
{
	struct pfioc_pooladdr pool;
	struct pfioc_rule add;

	memset(&pool, 0, sizeof(pool));
	ASK(file, DIOCBEGINADDRS, &pool);
	if (address != NULL) {
		pool.af = AF_INET;
		put_host(&pool.addr.addr, address);
		ASK(file, DIOCADDADDR, &pool);
	}
	memset(&add, 0, sizeof(add));
	add.ticket = ticket;
	add.pool_ticket = pool.ticket;
	strlcpy(add.anchor, ANCHOR, sizeof(add.anchor));
	add.rule = *rule;
	ASK(file, DIOCADDRULE, &add);
}

static struct pf_rule
pf_rule(int action, const char *from, const char *to, int port)
{
	struct pf_rule rule;

	memset(&rule, 0, sizeof(rule));
	put_host(&rule.src.addr, from);
	put_host(&rule.dst.addr, to);
	if (port != 0) {
		rule.proto = IPPROTO_TCP;
		rule.dst.port[0] = rule.dst.port[1] = htons((uint16_t)port);
		rule.dst.port_op = PF_OP_EQ;
	}
	rule.rtableid = -1;
	rule.af = AF_INET;
	rule.action = (uint8_t)action;
	return (rule);
}

static void
change_pf(void)
{
	struct pfioc_trans transaction;
	struct pfioc_trans_e elements[4];
	struct pfioc_ruleset below;
	struct pfioc_table tables;
	struct pfr_table *room;
	struct pf_rule rule;
	int file = open("/dev/pf", O_RDWR | O_CLOEXEC);

	if (file < 0)
		err(1, "/dev/pf");
	begin(file, &transaction, elements, 3);
	rule = pf_rule(PF_NAT, JAIL, NULL, 0);
	strlcpy(rule.ifname, INTERFACE, sizeof(rule.ifname));
	rule.rpool.proxy_port[0] = 50001;
	rule.rpool.proxy_port[1] = 65535;
	add_pf_rule(file, elements[0].ticket, &rule, HOST);
	rule = pf_rule(PF_RDR, NULL, HOST, 7999);
	rule.rpool.proxy_port[0] = 80;
	add_pf_rule(file, elements[1].ticket, &rule, JAIL);
	rule = pf_rule(PF_PASS, NULL, JAIL, 80);
	rule.quick = 1;
	rule.keep_state = PF_STATE_NORMAL;
	rule.direction = PF_INOUT;
	rule.flags = TH_SYN;
	rule.flagset = TH_SYN | TH_ACK;
	add_pf_rule(file, elements[2].ticket, &rule, NULL);
	ASK(file, DIOCXCOMMIT, &transaction);

	memset(&below, 0, sizeof(below));
	strlcpy(below.path, ANCHOR, sizeof(below.path));
	ASK(file, DIOCGETRULESETS, &below);
	memset(&tables, 0, sizeof(tables));
	if ((room = calloc(16, sizeof(*room))) == NULL)
		err(1, "calloc");
	strlcpy(tables.pfrio_table.pfrt_anchor, ANCHOR, sizeof(tables.pfrio_table.pfrt_anchor));
	tables.pfrio_esize = sizeof(*room);
	tables.pfrio_size = 16;
	tables.pfrio_buffer = room;
	ASK(file, DIOCRGETTABLES, &tables);
	free(room);
	begin(file, &transaction, elements, 4);
	ASK(file, DIOCXCOMMIT, &transaction);
	close(file);
}

#define SET 29
#define NUMBER 46299
#define RULE 54321
#define TABLE "jailwire-bench"
#define COMMENT "jailwire-bench"

static void
ask_ipfw(int file, uint16_t opcode, void *message, size_t length, const char *name)
{
	ip_fw3_opheader *header = message;
	socklen_t room = (socklen_t)length;

	header->opcode = opcode;
	header->version = IP_FW3_OPVER;
	if (getsockopt(file, IPPROTO_IP, IP_FW3, message, &room) < 0)
		err(1, "%s", name);
}
#define ASK_IPFW(file, opcode, message, length) ask_ipfw(file, opcode, message, length, #opcode)

static void
name_object(ipfw_obj_ntlv *name, const char *text)
{
	name->head.length = sizeof(*name);
	strlcpy(name->name, text, sizeof(name->name));
}

static void
name_table(ipfw_obj_ntlv *name)
{
	name_object(name, TABLE);
	name->head.type = IPFW_TLV_TBL_NAME;
	name->idx = 1;
	name->set = SET;
	name->type = IPFW_TABLE_ADDR;
}

static void
list(ipfw_obj_ctlv *list, uint16_t type, size_t size, size_t bytes)
{
	list->head.type = type;
	list->head.length = (uint32_t)(sizeof(*list) + bytes);
	list->count = 1;
	list->objsize = (uint16_t)size;
}

static void
configure_nat(int file)
{
	struct {
		ipfw_obj_header header;
		struct nat44_cfg_nat nat;
		struct nat44_cfg_redir redirect;
	} message;
	union {
		struct {
			ipfw_obj_header header;
			struct nat44_cfg_nat nat;
		} asked;
		char room[4096];
	} answer;
	char number[16];

	snprintf(number, sizeof(number), "%d", NUMBER);
	memset(&message, 0, sizeof(message));
	message.header.idx = 1;
	name_object(&message.header.ntlv, number);
	strlcpy(message.nat.name, number, sizeof(message.nat.name));
	inet_pton(AF_INET, HOST, &message.nat.ip);
	message.nat.mode = 0x204;	/* same ports, and no port of all instances */
	message.nat.redir_cnt = 1;
	message.nat.size = sizeof(message.nat) + sizeof(message.redirect);
	message.redirect.mode = NAT44_REDIR_PORT;
	message.redirect.lport = 80;
	message.redirect.pport = 7999;
	message.redirect.pport_cnt = message.redirect.rport_cnt = 1;
	inet_pton(AF_INET, JAIL, &message.redirect.laddr);
	inet_pton(AF_INET, HOST, &message.redirect.paddr);
	message.redirect.proto = IPPROTO_TCP;
	ASK_IPFW(file, IP_FW_NAT44_XCONFIG, &message, sizeof(message));
	/* The kernel leaves out ports that do not fit into its buffer. */
	memset(&answer, 0, sizeof(answer));
	answer.asked.header = message.header;
	strlcpy(answer.asked.nat.name, number, sizeof(answer.asked.nat.name));
	answer.asked.nat.mode = 0x204;
	answer.asked.nat.size = sizeof(answer.asked.nat);
	ASK_IPFW(file, IP_FW_NAT44_XGETCONFIG, &answer, sizeof(answer));
	if (answer.asked.nat.redir_cnt != 1)
		errx(1, "the port is missing");
}

static void
make_table(int file)
{
	struct {
		ipfw_obj_header header;
		ipfw_xtable_info info;
	} message;
	struct {
		ipfw_obj_header header;
		ipfw_obj_ctlv list;
		ipfw_obj_tentry entry;
	} add;

	memset(&message, 0, sizeof(message));
	message.header.idx = 1;
	name_table(&message.header.ntlv);
	message.info.type = IPFW_TABLE_ADDR;
	message.info.vmask = UINT32_MAX;
	ASK_IPFW(file, IP_FW_TABLE_XCREATE, &message, sizeof(message));
	memset(&add, 0, sizeof(add));
	add.header.idx = 1;
	name_table(&add.header.ntlv);
	list(&add.list, IPFW_TLV_TBLENT_LIST, sizeof(add.entry), sizeof(add.entry));
	add.entry.head.length = sizeof(add.entry);
	add.entry.subtype = AF_INET;
	add.entry.masklen = 32;
	add.entry.idx = 1;
	inet_pton(AF_INET, JAIL, &add.entry.k.addr);
	ASK_IPFW(file, IP_FW_TABLE_XADD, &add, sizeof(add));
}

static void *
instruction(uint32_t **at, int opcode, size_t length)
{
	ipfw_insn *made = (ipfw_insn *)(void *)*at;

	made->opcode = (uint8_t)opcode;
	made->len = (uint8_t)(length / sizeof(uint32_t));
	*at += length / sizeof(uint32_t);
	return (made);
}

static void
add_ipfw_rule(int file)
{
	struct {
		ip_fw3_opheader header;
		ipfw_obj_ctlv names;
		ipfw_obj_ntlv name;
		ipfw_obj_ctlv rules;
		uint32_t rule[64];
	} message;
	struct ip_fw_rule *rule = (struct ip_fw_rule *)(void *)message.rule;
	uint32_t *at = (uint32_t *)(void *)rule->cmd;
	ipfw_insn_if *interface;
	size_t size;

	memset(&message, 0, sizeof(message));
	list(&message.names, IPFW_TLV_TBLNAME_LIST, sizeof(message.name), sizeof(message.name));
	name_table(&message.name);
	instruction(&at, O_IP4, sizeof(ipfw_insn));
	((ipfw_insn_kidx *)instruction(&at, O_IP_SRC_LOOKUP, sizeof(ipfw_insn_kidx)))->kidx = 1;
	((ipfw_insn *)instruction(&at, O_IN, sizeof(ipfw_insn)))->len |= F_NOT;
	interface = instruction(&at, O_XMIT, sizeof(*interface));
	strlcpy(interface->name, INTERFACE, sizeof(interface->name));
	memcpy((ipfw_insn *)instruction(&at, O_NOP, sizeof(ipfw_insn) + roundup2(sizeof(COMMENT), 4)) + 1, COMMENT,
	    sizeof(COMMENT));
	rule->act_ofs = (uint16_t)(at - (uint32_t *)(void *)rule->cmd);
	((ipfw_insn *)instruction(&at, O_NAT, sizeof(ipfw_insn_nat)))->arg1 = NUMBER;
	rule->cmd_len = (uint16_t)(at - (uint32_t *)(void *)rule->cmd);
	rule->set = SET;
	rule->rulenum = RULE;
	size = roundup2((size_t)((char *)at - (char *)rule), 8);
	list(&message.rules, IPFW_TLV_RULE_LIST, 0, size);
	ASK_IPFW(file, IP_FW_XADD, &message, offsetof(__typeof__(message), rule) + size);
}

static void
change_ipfw(void)
{
	ipfw_cfg_lheader question;
	ipfw_range_header range;
	ipfw_obj_header object;
	char number[16];
	size_t length = 0;
	int file, date[18];

	/* A sysctl is read twice: first for its length, then for its value. */
	if (sysctlbyname("kern.osreldate", NULL, &length, NULL, 0) < 0)
		err(1, "kern.osreldate");
	length = sizeof(date);
	if (sysctlbyname("kern.osreldate", date, &length, NULL, 0) < 0)
		err(1, "kern.osreldate");
	if ((file = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) < 0)
		err(1, "socket");
	memset(&question, 0, sizeof(question));
	question.start_rule = question.end_rule = 1;
	ASK_IPFW(file, IP_FW_XGET, &question, sizeof(question));
	configure_nat(file);
	make_table(file);
	add_ipfw_rule(file);

	memset(&range, 0, sizeof(range));
	range.range.head.length = sizeof(range.range);
	range.range.flags = IPFW_RCFLAG_RANGE | IPFW_RCFLAG_SET;
	range.range.start_rule = range.range.end_rule = RULE;
	range.range.set = SET;
	ASK_IPFW(file, IP_FW_XDEL, &range, sizeof(range));
	snprintf(number, sizeof(number), "%d", NUMBER);
	memset(&object, 0, sizeof(object));
	object.idx = 1;
	name_object(&object.ntlv, number);
	ASK_IPFW(file, IP_FW_NAT44_DESTROY, &object, sizeof(object));
	memset(&object, 0, sizeof(object));
	object.idx = 1;
	name_table(&object.ntlv);
	ASK_IPFW(file, IP_FW_TABLE_XDESTROY, &object, sizeof(object));
	close(file);
}

static uint64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return ((uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000);
}

int
main(int argc, char **argv)
{
	uint64_t start;
	int changes;
	bool pf;

	if (argc != 3 || ((pf = strcmp(argv[1], "pf") == 0) == false && strcmp(argv[1], "ipfw") != 0))
		errx(2, "usage: change pf|ipfw changes");
	changes = atoi(argv[2]);
	start = now();
	for (int change = 0; change < changes; change++)
		pf ? change_pf() : change_ipfw();
	printf("change %ju\n", (uintmax_t)(now() - start));
	return (0);
}
