//! Pingora asks flate2 for zlib-ng, whose build script runs cmake. This stand-in offers the names that
//! flate2's C backend uses, served by the pure-Rust zlib-rs, so that a C compiler is all a build needs.
//!
//! Two things differ from `libz-rs-sys` and are bridged here: flate2 writes `z_stream` with plain function
//! pointers where zlib-rs has `Option`s (the same layout: a null pointer is `None`), and zlib-rs checks the
//! caller's version string against its own.
#![allow(non_camel_case_types, non_snake_case)]

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

pub use libz_rs_sys::{
    Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFAULT_STRATEGY, Z_DEFLATED, Z_FINISH, Z_FULL_FLUSH,
    Z_MEM_ERROR, Z_NEED_DICT, Z_NO_FLUSH, Z_OK, Z_PARTIAL_FLUSH, Z_STREAM_END, Z_STREAM_ERROR,
    Z_SYNC_FLUSH, internal_state, zlibVersion,
};

pub type Bytef = u8;
pub type uInt = c_uint;
pub type uLong = c_ulong;
pub type voidpf = *mut c_void;
pub type alloc_func = unsafe extern "C" fn(voidpf, uInt, uInt) -> voidpf;
pub type free_func = unsafe extern "C" fn(voidpf, voidpf);

/// zlib's stream, as flate2 builds it.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct z_stream {
    pub next_in: *mut Bytef,
    pub avail_in: uInt,
    pub total_in: c_ulong,
    pub next_out: *mut Bytef,
    pub avail_out: uInt,
    pub total_out: c_ulong,
    pub msg: *mut c_char,
    pub state: *mut internal_state,
    pub zalloc: alloc_func,
    pub zfree: free_func,
    pub opaque: voidpf,
    pub data_type: c_int,
    pub adler: c_ulong,
    pub reserved: uLong,
}
pub type z_streamp = *mut z_stream;

const _: () = assert!(size_of::<z_stream>() == size_of::<libz_rs_sys::z_stream>());
const _: () = assert!(align_of::<z_stream>() == align_of::<libz_rs_sys::z_stream>());

const STREAM_SIZE: c_int = size_of::<libz_rs_sys::z_stream>() as c_int;

macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {$(
        /// The zlib function of this name.
        ///
        /// # Safety
        /// As in zlib: the stream is initialised and its buffers are valid.
        pub unsafe extern "C" fn $name(stream: z_streamp $(, $argument: $type)*) -> $result {
            // SAFETY: the caller's promise, and the two stream types share one layout (asserted above).
            unsafe { libz_rs_sys::$name(stream.cast() $(, $argument)*) }
        }
    )*};
}

forward! {
    deflate(flush: c_int) -> c_int;
    deflateEnd() -> c_int;
    deflateReset() -> c_int;
    deflateParams(level: c_int, strategy: c_int) -> c_int;
    deflateSetDictionary(dictionary: *const Bytef, length: uInt) -> c_int;
    inflate(flush: c_int) -> c_int;
    inflateEnd() -> c_int;
    inflateReset2(window_bits: c_int) -> c_int;
    inflateSetDictionary(dictionary: *const Bytef, length: uInt) -> c_int;
}

/// zlib's `deflateInit2_`; the caller's version and stream size are replaced by zlib-rs's own.
///
/// # Safety
/// `stream` points to a writable `z_stream`.
pub unsafe extern "C" fn deflateInit2_(
    stream: z_streamp,
    level: c_int,
    method: c_int,
    window_bits: c_int,
    memory_level: c_int,
    strategy: c_int,
    _version: *const c_char,
    _stream_size: c_int,
) -> c_int {
    // SAFETY: the caller's promise, and the two stream types share one layout (asserted above).
    unsafe {
        let version = zlibVersion();
        libz_rs_sys::deflateInit2_(
            stream.cast(), level, method, window_bits, memory_level, strategy, version, STREAM_SIZE,
        )
    }
}

/// zlib's `inflateInit2_`; the caller's version and stream size are replaced by zlib-rs's own.
///
/// # Safety
/// `stream` points to a writable `z_stream`.
pub unsafe extern "C" fn inflateInit2_(
    stream: z_streamp,
    window_bits: c_int,
    _version: *const c_char,
    _stream_size: c_int,
) -> c_int {
    // SAFETY: the caller's promise, and the two stream types share one layout (asserted above).
    unsafe { libz_rs_sys::inflateInit2_(stream.cast(), window_bits, zlibVersion(), STREAM_SIZE) }
}
