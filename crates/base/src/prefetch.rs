//! Memory that is needed soon.

/// Has the cache line fetched that this begins in, and waits for nothing: what runs meanwhile goes on. It changes nothing but the time that it takes. The line comes
/// to the second-level cache: where many are asked for at a time, they would push each other out of the first.
#[inline]
pub fn prefetch<T>(what: &T) {
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t1(what);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}
