/**
 * The system call filter of every sandbox: what is not listed here does not exist inside (ENOSYS), so
 * that programs fall back as they would on an older kernel; what is known and dangerous is refused
 * (EPERM). Ordinary programs in Node.js, Python, Go, Rust, Java and shell use only what is allowed.
 *
 * Left out on purpose, with the reason:
 * - mount family, chroot, pivot_root, swap, reboot, modules, kexec, clock setting, quotas: administration
 * - unshare, setns, clone and clone3 with namespaces: a user namespace would give capabilities back
 * - bpf, perf_event_open, userfaultfd, io_uring, keyctl family, fanotify, kcmp, vmsplice: large kernel
 *   surface with a history of privilege escalation, and not needed to run a function
 * - ptrace, process_vm_*, pidfd_getfd: no process may look into another
 * - personality except harmless values, ioperm, iopl, modify_ldt, old 32-bit entries
 */

/** Errno values of Linux on the architectures below. */
const EPERM = 1;
const ENOSYS = 38;

/** All namespace flags of clone(2): none may be asked for. */
const CLONE_NAMESPACES = 0x7e02_0080;

const FILES = `access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat
  faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr
  flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64
  getxattr lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat
  mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead
  readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat statfs
  statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes
  write writev ioctl inotify_add_watch inotify_init inotify_init1 inotify_rm_watch memfd_create name_to_handle_at
  cachestat`;

const MEMORY = `brk madvise mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall munmap
  membarrier pkey_alloc pkey_free pkey_mprotect process_madvise process_mrelease remap_file_pages rseq map_shadow_stack
  get_mempolicy set_mempolicy mbind`;

const PROCESSES = `alarm capget capset execve execveat exit exit_group fork vfork getegid geteuid getgid getgroups
  getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid kill
  tkill tgkill pause pidfd_open pidfd_send_signal prctl arch_prctl prlimit64 setfsgid setfsuid setgid setgroups setitimer
  getitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid set_robust_list
  get_robust_list set_tid_address set_thread_area get_thread_area wait4 waitid waitpid restart_syscall
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sched_getaffinity sched_getattr sched_getparam
  sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity
  sched_setattr sched_setparam sched_setscheduler sched_yield seccomp landlock_create_ruleset landlock_add_rule
  landlock_restrict_self futex futex_waitv futex_wake futex_wait futex_requeue times uname sysinfo getcpu
  getrandom ioprio_get ioprio_set`;

const TIME = `clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time timer_create timer_delete
  timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime`;

const EVENTS = `epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll ppoll
  pselect6 select pipe pipe2 io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit`;

const NETWORK = `accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
  sendmmsg sendmsg sendto setsockopt shutdown socketpair`;

const IPC = `mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd
  semctl semget semop semtimedop shmat shmctl shmdt shmget`;

/** Refused with EPERM instead of not existing: programs that try these expect a permission error. */
const REFUSED = `acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init
  finit_module fsconfig fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm
  iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr move_mount nfsservctl
  open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_vm_readv process_vm_writev ptrace
  quotactl quotactl_fd reboot request_key setdomainname sethostname setns settimeofday stime swapoff swapon
  syslog umount umount2 unshare uselib userfaultfd vhangup vmsplice`;

const names = (...groups: string[]): string[] => groups.join(' ').split(/\s+/).filter(Boolean);

const AF_VSOCK = 40;
const AF_ALG = 38;

interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_MASKED_EQ' | 'SCMP_CMP_LT' | 'SCMP_CMP_GT';
}

interface SeccompRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

/**
 * `linux.seccomp` of config.json. Only the native architecture is listed: a 32-bit call on a 64-bit
 * kernel kills the caller, so the second call table cannot be used to get around this one.
 */
export function seccompProfile(architecture: NodeJS.Architecture): SeccompProfile {
  const allow = (
    ruleNames: readonly string[],
    ...args: readonly SeccompArgument[]
  ): SeccompRule => ({ names: ruleNames, action: 'SCMP_ACT_ALLOW', args });
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: [architecture === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64'],
    syscalls: [
      allow(names(FILES, MEMORY, PROCESSES, TIME, EVENTS, NETWORK, IPC)),
      { names: names(REFUSED), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // Threads and processes, but no namespaces. clone3 hides its flags in memory, where no filter
      // can look: it does not exist inside, and the C library falls back to clone.
      allow(['clone'], {
        index: 0,
        value: CLONE_NAMESPACES,
        valueTwo: 0,
        op: 'SCMP_CMP_MASKED_EQ',
      }),
      // Address families below AF_ALG and between it and AF_VSOCK. AF_ALG has been a way into the
      // kernel's crypto code, AF_VSOCK reaches the hypervisor from inside a virtual machine.
      allow(['socket'], { index: 0, value: AF_ALG, op: 'SCMP_CMP_LT' }),
      allow(['socket'], { index: 0, value: AF_ALG + 1, op: 'SCMP_CMP_EQ' }),
      allow(['socket'], { index: 0, value: AF_VSOCK, op: 'SCMP_CMP_GT' }),
      // PER_LINUX, its query, and no address randomisation (debuggers and some language tools).
      allow(['personality'], { index: 0, value: 0x0, op: 'SCMP_CMP_EQ' }),
      allow(['personality'], { index: 0, value: 0xffff_ffff, op: 'SCMP_CMP_EQ' }),
    ],
  };
}
