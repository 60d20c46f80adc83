// SPDX-License-Identifier: Apache-2.0
//! The functions of the ggml that loaded this library.
//!
//! They are looked for when ggml asks for its devices, among everything that is
//! loaded, and not linked: Node loads ggml so that a library which needed its
//! symbols would not load at all.

use super::ggml;
use nix::libc;
use std::ffi::{c_int, c_void, CStr, CString};
use std::mem;
use std::ptr;
use std::sync::OnceLock;

/// What is called of ggml. The library that they are in stays loaded while any
/// object of ours is in use, since it is who uses them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host {
    pub(super) buffer_init: ggml::BufferInit,
    op_name: ggml::NumberName,
    type_name: ggml::NumberName,
}

/// Of the first ggml that was accepted.
static HOST: OnceLock<Host> = OnceLock::new();

/// The ggml of this process, if it is one that this library was built for. If
/// not, its logger has a line that says so. Looked for each time that a ggml
/// asks, for it may be another than the last.
pub(super) fn find() -> Result<&'static Host, ()> {
    find_among(&candidates())
}

fn find_among(candidates: &[Candidate]) -> Result<&'static Host, ()> {
    match accepted(candidates) {
        Ok(host) => Ok(HOST.get_or_init(|| host)),
        Err(refusal) => {
            log_error(&refusal);
            Err(())
        }
    }
}

impl Host {
    #[cfg(test)]
    pub(super) fn new(
        buffer_init: ggml::BufferInit,
        op_name: ggml::NumberName,
        type_name: ggml::NumberName,
    ) -> Self {
        Self { buffer_init, op_name, type_name }
    }

    /// The name of the op of a tensor of ggml's.
    pub(super) fn op_name(&self, tensor: &ggml::Tensor) -> &'static CStr {
        // SAFETY: ggml made the tensor, so the number is one of its ops. It
        // answers with a string of its constants.
        unsafe { name((self.op_name)(tensor.op)) }
    }

    /// The name of the type of a tensor of ggml's.
    pub(super) fn type_name(&self, tensor: &ggml::Tensor) -> &'static CStr {
        // SAFETY: as above, for types.
        unsafe { name((self.type_name)(tensor.type_)) }
    }
}

/// # Safety
/// `text` is NULL or a string that is never freed.
unsafe fn name(text: *const std::ffi::c_char) -> &'static CStr {
    if text.is_null() {
        return CStr::from_bytes_with_nul(b"\0").unwrap_or_default();
    }
    // SAFETY: not NULL; the caller promises the rest.
    unsafe { CStr::from_ptr(text) }
}

/// A ggml that is loaded.
struct Candidate {
    /// None if it cannot say.
    version: Option<String>,
    host: Option<Host>,
    log: Option<ggml::Log>,
}

/// The one to work with, or why there is none.
fn accepted(candidates: &[Candidate]) -> Result<Host, String> {
    const BUILT_FOR: &str = ggml::VERSION;
    if candidates.is_empty() {
        return Err(format!("built for ggml {BUILT_FOR}; this program shows no ggml at all"));
    }
    let version = |other: &Candidate| match &other.version {
        Some(version) => format!("ggml {version}"),
        None => "a ggml too old to tell its version".to_owned(),
    };
    // Which of several has loaded this cannot be told.
    match candidates.iter().find(|other| other.version.as_deref() != Some(BUILT_FOR)) {
        Some(other) => Err(format!(
            "built for ggml {BUILT_FOR}, and this is {}: it gets no Sails",
            version(other)
        )),
        None => candidates.iter().find_map(|candidate| candidate.host).ok_or_else(|| {
            format!("built for ggml {BUILT_FOR}; this one hides functions that it has")
        }),
    }
}

/// One line through ggml's logger, or to standard error where there is none.
pub(super) fn log_error(text: &str) {
    log(ggml::LOG_LEVEL_ERROR, text);
}

/// As [`log_error`], of what was asked for: many programs do not show what ggml
/// logs for information only.
pub(super) fn log_answer(text: &str) {
    log(ggml::LOG_LEVEL_WARN, text);
}

static LOG: OnceLock<Option<ggml::Log>> = OnceLock::new();

fn log(level: c_int, text: &str) {
    let text = format!("ggml-spanker: {}\n", text.replace(['\0', '\n'], " "));
    let log = *LOG.get_or_init(|| candidates().iter().find_map(|candidate| candidate.log));
    match (log, CString::new(text.as_str())) {
        (Some(log), Ok(text)) => {
            // SAFETY: the signature has been ggml's in every release that has
            // the function; the format takes one string, and both end in NUL.
            unsafe { log(level, b"%s\0".as_ptr().cast(), text.as_ptr()) };
        }
        _ => eprint!("{text}"),
    }
}

/// Every ggml that is loaded, once.
fn candidates() -> Vec<Candidate> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for object in Object::all() {
        let mark = object.symbol(b"ggml_backend_buffer_init\0");
        if mark.is_null() || seen.contains(&mark) {
            continue;
        }
        seen.push(mark);
        found.push(object.candidate());
    }
    found
}

/// An object that is loaded: the program, or a library.
struct Object(*mut c_void);

impl Object {
    fn all() -> impl Iterator<Item = Self> {
        let mut names: Vec<CString> = Vec::new();
        // SAFETY: `note` takes what it is given here; it and the vector outlive
        // the call.
        unsafe { libc::dl_iterate_phdr(Some(note), ptr::addr_of_mut!(names).cast()) };
        // Not from within the call, in which the loader's lock is held.
        names.into_iter().filter_map(|name| {
            // The program itself has no name.
            let path = if name.as_bytes().is_empty() { ptr::null() } else { name.as_ptr() };
            // SAFETY: a string or NULL. Nothing is loaded that is not, so no
            // code of its runs.
            let handle = unsafe { libc::dlopen(path, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
            (!handle.is_null()).then(|| Self(handle))
        })
    }

    /// The address of a symbol, whose name ends in NUL, in this or in what it
    /// was linked to; NULL if there is none.
    fn symbol(&self, name: &[u8]) -> *mut c_void {
        debug_assert_eq!(name.last(), Some(&0));
        // SAFETY: the handle is open while `self` lives; the name ends in NUL.
        unsafe { libc::dlsym(self.0, name.as_ptr().cast()) }
    }

    fn candidate(&self) -> Candidate {
        /// The symbol as a function of this type, if there is one.
        macro_rules! function {
            ($name:literal as $type:ty) => {{
                let address = self.symbol(concat!($name, "\0").as_bytes());
                // SAFETY: NULL is None. Any other is ggml's function of this
                // name, whose type has been this one since it has the name.
                unsafe { mem::transmute::<*mut c_void, Option<$type>>(address) }
            }};
        }
        let version = function!("ggml_version" as ggml::Version).map(|version| {
            // SAFETY: it takes nothing and answers with a constant.
            unsafe { name(version()) }.to_string_lossy().into_owned()
        });
        let host = || {
            Some(Host {
                buffer_init: function!("ggml_backend_buffer_init" as ggml::BufferInit)?,
                op_name: function!("ggml_op_name" as ggml::NumberName)?,
                type_name: function!("ggml_type_name" as ggml::NumberName)?,
            })
        };
        Candidate { version, host: host(), log: function!("ggml_log_internal" as ggml::Log) }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: opened by `all`, closed once. Whoever had loaded it has it
        // open still.
        unsafe { libc::dlclose(self.0) };
    }
}

/// Adds the name of an object to a `Vec<CString>`.
unsafe extern "C" fn note(
    object: *mut libc::dl_phdr_info,
    _size: usize,
    names: *mut c_void,
) -> c_int {
    // SAFETY: the loader gives an object that is loaded, whose name is NULL or
    // a string; `names` is what `all` gave.
    let (name, names) = unsafe { ((*object).dlpi_name, &mut *names.cast::<Vec<CString>>()) };
    if !name.is_null() {
        // SAFETY: a string, while the call lasts.
        names.push(unsafe { CStr::from_ptr(name) }.to_owned());
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(version: Option<&str>) -> Candidate {
        unsafe extern "C" fn no_name(_: c_int) -> *const std::ffi::c_char {
            ptr::null()
        }
        unsafe extern "C" fn no_buffer(
            _: *const ggml::BufferType,
            _: ggml::BufferCalls,
            _: *mut c_void,
            _: usize,
        ) -> *mut ggml::Buffer {
            ptr::null_mut()
        }
        let host = Some(Host::new(no_buffer, no_name, no_name));
        Candidate { version: version.map(str::to_owned), host, log: None }
    }

    #[test]
    fn only_the_ggml_that_this_was_built_for_is_accepted() {
        let ours = || candidate(Some(ggml::VERSION));
        assert!(accepted(&[ours()]).is_ok());
        assert!(accepted(&[ours(), ours()]).is_ok());
        for (others, said) in [
            (vec![candidate(Some("0.26.0"))], "built for ggml 0.25.1, and this is ggml 0.26.0"),
            (vec![candidate(Some("0.25.10"))], "and this is ggml 0.25.10"),
            (vec![ours(), candidate(Some("0.9.4"))], "and this is ggml 0.9.4"),
            (vec![candidate(None)], "and this is a ggml too old to tell its version"),
            (vec![], "this program shows no ggml at all"),
            (vec![Candidate { host: None, ..ours() }], "this one hides functions"),
        ] {
            let refusal = accepted(&others).unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
    }

    #[test]
    fn one_that_was_accepted_lets_no_other_in() {
        let ours = || candidate(Some(ggml::VERSION));
        assert!(find_among(&[ours()]).is_ok());
        assert!(find_among(&[ours(), candidate(Some("0.9.4"))]).is_err());
        assert!(find_among(&[ours()]).is_ok());
    }

    /// The test program has none, nor has what it is linked to.
    #[test]
    #[cfg_attr(
        target_feature = "crt-static",
        ignore = "SKIPPED: a static program has nothing loaded: build it without crt-static"
    )]
    fn what_is_loaded_is_looked_through() {
        assert!(candidates().is_empty());
        let objects: Vec<Object> = Object::all().collect();
        assert!(objects.iter().any(|object| !object.symbol(b"malloc\0").is_null()));
    }
}
