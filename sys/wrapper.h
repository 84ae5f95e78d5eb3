/*
 * The headers of FreeBSD that jailwire-sys binds. bindgen reads this file, and so do the proofs in tests/.
 * Each header comes after the headers that it needs. sys/param.h includes sys/types.h.
 */

#include <sys/param.h>
#include <sys/cpuset.h>
#include <sys/errno.h>
#include <sys/event.h>
#include <sys/ioccom.h>
#include <sys/linker.h>
#include <sys/module.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/syscall.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/uio.h>

/* HOSTUUIDLEN and OSRELEASELEN are defined only together with struct prison, which needs these three headers. */
#define _WANT_PRISON
#include <sys/_lock.h>
#include <sys/_mutex.h>
#include <sys/_task.h>
#include <sys/jail.h>

/* Extended errors came with FreeBSD 15. */
#if __has_include(<sys/exterrvar.h>)
#include <sys/exterrvar.h>
#endif

#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_mib.h>
#include <net/if_types.h>
#include <net/if_vlan_var.h>
#include <net/bridgestp.h>
#include <net/ethernet.h>
#include <net/if_bridgevar.h>
#include <net/route.h>
#include <net/pfvar.h>

#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet/ip_carp.h>
#include <netinet/ip_fw.h>
#include <netinet6/in6_var.h>
#include <netinet6/nd6.h>

#include <fs/devfs/devfs.h>
