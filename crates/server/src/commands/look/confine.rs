//! What this process takes from itself before it reads a byte.

use std::{error::Error, result::Result};

use rustix::process::{Resource, Rlimit, setrlimit};

/// The largest picture takes a few hundred megabytes while it is turned.
const MEMORY: u64 = 1 << 30;
const CPU_SECS: u64 = 10;

pub fn confine() -> Result<(), Box<dyn Error>> {
    let limit = |n| Rlimit {
        current: Some(n),
        maximum: Some(n),
    };
    // Met, the lower one sends a signal of its own; the other one would look like an end from outside.
    let cpu = Rlimit {
        current: Some(CPU_SECS),
        maximum: Some(CPU_SECS + 1),
    };
    setrlimit(Resource::Cpu, cpu)?;
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        // What is open stays open.
        (Resource::Nofile, 0),
    ] {
        setrlimit(resource, limit(most))?;
    }
    system_calls()
}

/// Only what reading, computing and answering needs: any other call of the system fails.
#[cfg(target_os = "linux")]
fn system_calls() -> Result<(), Box<dyn Error>> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

    let needed = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_brk,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_tgkill,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let filter = SeccompFilter::new(
        needed.into_iter().map(|call| (call, Vec::new())).collect(),
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    Ok(seccompiler::apply_filter(&program)?)
}

/// Elsewhere the limits alone hold.
#[cfg(not(target_os = "linux"))]
fn system_calls() -> Result<(), Box<dyn Error>> {
    Ok(())
}
