// The parts of the manual pages that the command line does not have. build.rs reads this file, so it may use
// nothing but the standard library.

/// The section of the manual: commands of the system's administrator.
pub const SECTION: &str = "8";

/// A file, its contents, and the commands whose pages list the file. The program's own page lists all files. `ROOT`
/// is the directory that `--root` names.
pub const FILES: &[(&str, &str, &[&str])] = &[
    (
        "ROOT/defaults.json",
        "Defaults of the properties of all jails. A value in a jail's config.json overrides the default.",
        &["start", "restart", "create", "get", "set", "doctor", "list", "activate"],
    ),
    (
        "ROOT/jails/NAME/config.json",
        "Properties of a jail, in iocage's format.",
        &[
            "start", "stop", "restart", "create", "clone", "rename", "destroy", "get", "set", "list",
            "doctor", "exec", "console",
        ],
    ),
    (
        "ROOT/jails/NAME/fstab",
        "What is mounted in a jail, in the format of fstab(5).",
        &["start", "restart", "create", "clone", "rename", "fstab", "doctor"],
    ),
    (
        "ROOT/jails/NAME/root",
        "The root directory of a jail.",
        &[
            "create",
            "clone",
            "rename",
            "destroy",
            "exec",
            "console",
            "df",
            "snapshot",
            "snaplist",
            "snapremove",
            "rollback",
        ],
    ),
    (
        "ROOT/log/NAME-console.log",
        "What exec_start and exec_stop of a jail print.",
        &["start", "stop", "restart", "rename", "destroy"],
    ),
    ("ROOT/.sim", "The state of the simulated kernel.", &[]),
    (
        "/var/run/jail.ioc-NAME.conf",
        "The jail.conf(5) of a running jail, which iocage reads to stop the jail.",
        &["start", "stop", "restart", "gc"],
    ),
    (
        "/var/run/jailwire",
        "The state directory: locks, and for each jail a journal of what the jail's start has added to the host.",
        &[
            "start",
            "stop",
            "restart",
            "gc",
            "doctor",
            "net",
            "net-attach",
            "net-detach",
            "net-list",
            "net-lend",
            "net-reclaim",
            "host",
            "host-move-address",
            "host-confirm",
            "host-undo",
        ],
    ),
    ("/usr/local/etc/rc.d/jailwire", "Starts and stops the jails that have boot=on.", &["start", "stop"]),
];

/// A variable of the environment, and what it does.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("JAILWIRE_ROOT", "The directory to work on, if --root is not given."),
    ("NO_COLOR", "If set, messages have no colours."),
    (
        "JAILWIRE_SIM_RELEASE",
        "The FreeBSD release of a new simulated host: 14.2, for example. If not set, the release is 15.1.",
    ),
    (
        "JAILWIRE_SIM_FAULT",
        "With N:ERRNO, the N-th call to the simulated kernel fails with ERRNO. With N:kill, the program ends after the N-th call.",
    ),
];

/// An exit status, and when the program ends with it.
pub const STATUS: &[(&str, &str)] = &[
    ("0", "Everything that was asked for is done, or was already done before."),
    (
        "1",
        "The name of a jail or the value of a property is wrong, or a jail failed. Standard error says which, and why.",
    ),
    (
        "2",
        "The command line is wrong: an unknown command or option, a value that an option cannot have, or a missing argument.",
    ),
];

/// The exit status of `exec` and `console`, in addition to those of all commands.
pub const PASSED_ON: &str = "If the command was run, the exit status is that of the command. If a signal ended the command, the exit status is 128 plus the signal's number.";

/// The names of the pages that every page refers to.
pub const SEE_ALSO: &[(&str, &str)] = &[
    ("jail", "8"),
    ("jls", "8"),
    ("ifconfig", "8"),
    ("bridge", "4"),
    ("epair", "4"),
    ("vlan", "4"),
    ("jail.conf", "5"),
    ("vnet", "9"),
];

/// Example command lines for each page, by the page's name without `jailwire-`. The name of the program's own page
/// is empty.
pub const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "fstab",
        &[
            ("Mount /data read-only on /mnt in the jail:", "jailwire fstab -a web /data /mnt nullfs ro 0 0"),
            ("Remove the first line of the jail's fstab:", "jailwire fstab -r web 0"),
        ],
    ),
    (
        "snapshot",
        &[("Take a snapshot of the jail and of its root:", "jailwire snapshot web -n before-upgrade")],
    ),
    ("snaplist", &[("List the snapshots of a jail:", "jailwire snaplist web")]),
    (
        "snapremove",
        &[("Remove a snapshot of the jail and of its root:", "jailwire snapremove web -n before-upgrade")],
    ),
    ("rollback", &[("Take a jail back to a snapshot:", "jailwire rollback web -n before-upgrade")]),
    ("df", &[("Print how much space jails use, the smallest first:", "jailwire df -s use")]),
    ("activate", &[("Activate the pool tank:", "jailwire activate tank")]),
    (
        "",
        &[
            ("See what keeps jails from starting, and what to do about it:", "jailwire doctor"),
            ("See what a start would do, step by step, and change nothing:", "jailwire start --dry-run ALL"),
            ("Start all jails:", "jailwire start ALL"),
            ("See how the jails are wired:", "jailwire map"),
            (
                "Give an epair on bridge0 to a jail that jail(8) has created:",
                "jailwire net attach web --bridge bridge0 --address 192.0.2.20/24 --router 192.0.2.1",
            ),
            (
                "Try a copy of iocage's directory on the simulated kernel, on any system:",
                "jailwire --kernel sim --root ./iocage start ALL",
            ),
        ],
    ),
    (
        "start",
        &[
            ("Start a jail, and the jails that it depends on:", "jailwire start web"),
            ("See what the start would do:", "jailwire start --dry-run web"),
            ("Start all jails, one after the other:", "jailwire start --workers 1 ALL"),
            ("Start the jails with boot=on, as rc.d/jailwire does:", "jailwire start --rc"),
        ],
    ),
    (
        "stop",
        &[
            ("Stop all jails:", "jailwire stop ALL"),
            ("Stop a jail without running its exec_prestop and exec_stop:", "jailwire stop --force web"),
        ],
    ),
    (
        "restart",
        &[
            ("Stop a jail and start it again:", "jailwire restart web"),
            ("Restart the services of a jail, and leave its network alone:", "jailwire restart --soft web"),
        ],
    ),
    (
        "exec",
        &[
            ("Run a command in a jail:", "jailwire exec web netstat -rn"),
            ("Run a command as a user of the jail:", "jailwire exec --jail_user www web id"),
        ],
    ),
    (
        "console",
        &[(
            "Log in to a jail. If the jail does not run, start the jail first:",
            "jailwire console --force web",
        )],
    ),
    (
        "create",
        &[
            (
                "Create a jail with a network stack of its own:",
                "jailwire create --release 15.1-RELEASE --name web vnet=on ip4_addr=vnet0|192.0.2.20/24 defaultrouter=192.0.2.1",
            ),
            (
                "Create a jail that shares an address of the host:",
                "jailwire create --release 15.1-RELEASE --name db ip4_addr=em0|192.0.2.21/24",
            ),
            ("Create three jails from a template:", "jailwire create --template base --count 3 --name node"),
        ],
    ),
    ("clone", &[("Copy a jail:", "jailwire clone web --name web2 ip4_addr=vnet0|192.0.2.22/24")]),
    ("destroy", &[("See what would be destroyed:", "jailwire destroy --dry-run web")]),
    ("rename", &[("Rename a jail:", "jailwire rename web www")]),
    (
        "get",
        &[
            ("Print a property of a jail:", "jailwire get ip4_addr web"),
            ("Print all properties of a jail:", "jailwire get all web"),
            ("Print a property of all jails:", "jailwire get --recursive vnet"),
        ],
    ),
    (
        "set",
        &[
            (
                "Set properties of a jail:",
                "jailwire set ip4_addr=vnet0|192.0.2.20/24 defaultrouter=192.0.2.1 web",
            ),
            ("Set the default of a property for all jails:", "jailwire set vnet=on default"),
        ],
    ),
    (
        "list",
        &[
            ("List jails with their addresses:", "jailwire list --long"),
            ("List names for a script, without a header:", "jailwire list --header --quick"),
            ("List jails as JSON:", "jailwire --json list"),
        ],
    ),
    (
        "show",
        &[
            ("Print what a jail's network stack has:", "jailwire show web"),
            ("Print what the host has:", "jailwire show"),
        ],
    ),
    (
        "map",
        &[
            ("Draw how the jails are wired:", "jailwire map"),
            ("Write the same drawing for Graphviz:", "jailwire map --dot"),
        ],
    ),
    (
        "doctor",
        &[
            ("Look for what keeps jails from working:", "jailwire doctor"),
            ("See which steps would mend the findings:", "jailwire doctor --fix --dry-run"),
        ],
    ),
    (
        "gc",
        &[
            ("See what killed starts and stops have left:", "jailwire gc --dry-run"),
            ("Remove what killed starts and stops have left:", "jailwire gc"),
        ],
    ),
    ("net", &[("List jails with network stacks of their own:", "jailwire net list")]),
    (
        "net-attach",
        &[
            (
                "Give an epair on a bridge to a jail, with IPv4 and IPv6 addresses:",
                "jailwire net attach web --bridge bridge0 --address 192.0.2.20/24 --address 2001:db8::20/64 --router 192.0.2.1 --router 2001:db8::1",
            ),
            (
                "Wait until the addresses can be bound to, for at most ten seconds:",
                "jailwire net attach web --bridge bridge0 --address 2001:db8::20/64 --wait=10",
            ),
        ],
    ),
    (
        "net-detach",
        &[
            ("Destroy one epair of a jail:", "jailwire net detach web vnet0.1"),
            ("Destroy all epairs of a jail:", "jailwire net detach web --all"),
        ],
    ),
    ("net-list", &[("List jails and their interfaces as JSON:", "jailwire --json net list")]),
    (
        "host",
        &[(
            "Move the host's addresses to the bridge that its interface is on:",
            "jailwire host move-address em0 bridge0",
        )],
    ),
    (
        "host-move-address",
        &[
            (
                "See what moving the host's addresses to its bridge would do:",
                "jailwire host move-address --dry-run em0 bridge0",
            ),
            (
                "Move the addresses. If the move is not confirmed within two minutes, it is undone:",
                "jailwire host move-address em0 bridge0 --confirm-within 2m",
            ),
        ],
    ),
    ("host-confirm", &[("Confirm the move, from a new session:", "jailwire host confirm")]),
    ("host-undo", &[("Undo the move at once:", "jailwire host undo")]),
    (
        "host-describe",
        &[
            ("On a server, write down what the host is like:", "jailwire host describe server.json"),
            (
                "On a laptop, see what doctor says of a copy of its jails:",
                "jailwire --root copy --sim-host server.json doctor",
            ),
        ],
    ),
    ("net-wait", &[("Wait until a jail's addresses can be bound to:", "jailwire net wait web")]),
    (
        "net-lend",
        &[(
            "Lend an interface of the host to a jail, with another name there:",
            "jailwire net lend ix0 web --name wan0 --address 192.0.2.20/24",
        )],
    ),
    (
        "net-reclaim",
        &[(
            "Take the interface back, and restore its configuration on the host:",
            "jailwire net reclaim wan0 web",
        )],
    ),
];
