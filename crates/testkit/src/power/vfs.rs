//! The VFS of [`super::PowerVfs`]: SQLite's own with a recorder in front.
//!
//! A file of this VFS is a [`PowerFile`] with the file of the real VFS right behind it in the
//! same block of memory, as SQLite allocates `szOsFile` bytes for both. Locks and shared memory
//! are the real ones, so several connections work together.
#![allow(unsafe_code)] // SQLite's VFS is a C interface.

use super::disk::{Disk, FileId};
use rusqlite::ffi;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What `pAppData` points to.
struct Context {
    real: *mut ffi::sqlite3_vfs,
    disk: Arc<Disk>,
}

/// An open file.
#[repr(C)]
struct PowerFile {
    base: ffi::sqlite3_file,
    /// Lives as long as the program.
    disk: *const Disk,
    /// `None` for files that no power cut is about, such as temporary ones.
    id: Option<FileId>,
}

/// Where the real file begins.
const REAL: usize = size_of::<PowerFile>().next_multiple_of(16);

/// Registers the VFS, for as long as the program runs.
pub(super) fn register(name: &str, disk: Arc<Disk>) {
    // SAFETY: a null name asks for the default VFS, which is never freed.
    let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    assert!(!real.is_null(), "SQLite has no default VFS");
    let context = Box::leak(Box::new(Context { real, disk }));
    let name = CString::new(name).expect("a name without zero bytes");
    // SAFETY: `real` is valid, see above; the struct is plain data.
    let copy = unsafe { *real };
    let vfs = ffi::sqlite3_vfs {
        // Without the system call table of version 3.
        iVersion: copy.iVersion.min(2),
        szOsFile: copy.szOsFile + c_int::try_from(REAL).expect("a small number"),
        pNext: std::ptr::null_mut(),
        zName: CString::into_raw(name),
        pAppData: (&raw mut *context).cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        // The rest of the unix VFS (randomness, sleeping, the clock) looks at no VFS.
        ..copy
    };
    // SAFETY: the VFS is leaked, so it outlives its registration.
    let done = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) };
    assert_eq!(done, ffi::SQLITE_OK, "register a VFS");
}

/// # Safety
/// `vfs` must be one that [`register`] made.
unsafe fn context<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Context {
    // SAFETY: by the contract `pAppData` is the leaked context.
    unsafe { &*(*vfs).pAppData.cast::<Context>() }
}

/// The file of the real VFS behind a file of this one.
fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.wrapping_byte_add(REAL)
}

/// # Safety
/// `file` must have been opened by [`open`].
unsafe fn known<'a>(file: *mut ffi::sqlite3_file) -> Option<(&'a Disk, FileId)> {
    // SAFETY: `open` has written a PowerFile there, whose disk is never freed.
    let (disk, id) = unsafe {
        (
            &*(*file.cast::<PowerFile>()).disk,
            (*file.cast::<PowerFile>()).id,
        )
    };
    id.map(|id| (disk, id))
}

/// Calls a method of the real file behind `$file`.
macro_rules! pass {
    ($file:expr, $method:ident, $($argument:expr),*) => {{
        let real = real($file);
        // SAFETY: SQLite calls these functions with files that `open` opened, and behind such a
        // file lies an open file of the real VFS. The arguments are passed on as they came.
        unsafe {
            match (*(*real).pMethods).$method {
                Some(method) => method(real, $($argument),*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the VFS that it was given.
    let context = unsafe { context(vfs) };
    // SAFETY: `file` has room for a PowerFile and a real file, by `szOsFile`; the arguments are
    // passed on as they came.
    let opened = unsafe {
        file.cast::<PowerFile>().write(PowerFile {
            base: ffi::sqlite3_file {
                pMethods: std::ptr::null(),
            },
            disk: Arc::as_ptr(&context.disk),
            id: None,
        });
        (*real(file)).pMethods = std::ptr::null();
        match (*context.real).xOpen {
            Some(open) => open(context.real, name, real(file), flags, out_flags),
            None => ffi::SQLITE_CANTOPEN,
        }
    };
    // SAFETY: as above; the real file's first field says whether it must be closed.
    unsafe {
        if (*real(file)).pMethods.is_null() {
            return opened;
        }
        (*file).pMethods = &METHODS;
    }
    let durable = ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL;
    if opened == ffi::SQLITE_OK && flags & durable != 0 && !name.is_null() {
        // SAFETY: the name is a C string while this call lasts.
        let path = Path::new(OsStr::from_bytes(
            unsafe { CStr::from_ptr(name) }.to_bytes(),
        ));
        // Through the open file: opening it once more and closing that would drop SQLite's locks.
        let id = context.disk.open(path, || content(file));
        // SAFETY: written above, and not yet shared.
        unsafe { (*file.cast::<PowerFile>()).id = Some(id) };
    }
    opened
}

/// What an open file holds.
fn content(file: *mut ffi::sqlite3_file) -> Vec<u8> {
    let mut size = 0;
    let sized = pass!(file, xFileSize, &raw mut size);
    assert_eq!(sized, ffi::SQLITE_OK, "the size of a file");
    let mut content = vec![0_u8; usize::try_from(size).expect("a size")];
    for (i, part) in content.chunks_mut(1 << 20).enumerate() {
        let length = c_int::try_from(part.len()).expect("a megabyte at most");
        let at = i64::try_from(i << 20).expect("within the file");
        let done = pass!(file, xRead, part.as_mut_ptr().cast(), length, at);
        assert_eq!(done, ffi::SQLITE_OK, "read a file");
    }
    content
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite passes the VFS that it was given, and a C string.
    let (context, path) = unsafe { (context(vfs), CStr::from_ptr(name)) };
    // SAFETY: the arguments are passed on as they came.
    let deleted = unsafe {
        match (*context.real).xDelete {
            Some(delete) => delete(context.real, name, sync),
            None => ffi::SQLITE_IOERR,
        }
    };
    if deleted == ffi::SQLITE_OK {
        context
            .disk
            .delete(Path::new(OsStr::from_bytes(path.to_bytes())));
    }
    deleted
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the VFS that it was given; the arguments are passed on as they came.
    unsafe {
        let real = context(vfs).real;
        (*real)
            .xAccess
            .map_or(ffi::SQLITE_IOERR, |access| access(real, name, flags, out))
    }
}

unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes the VFS that it was given; the arguments are passed on as they came.
    unsafe {
        let real = context(vfs).real;
        (*real)
            .xFullPathname
            .map_or(ffi::SQLITE_IOERR, |full| full(real, name, length, out))
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // With shared memory, without mapping the file: writes must be seen.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xClose,)
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    length: c_int,
    at: i64,
) -> c_int {
    pass!(file, xRead, into, length, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite calls this with files that `open` opened.
    let known = unsafe { known(file) };
    if let Some((disk, id)) = known {
        if disk.full.load(Ordering::SeqCst) {
            return ffi::SQLITE_FULL;
        }
        if let (Ok(length), Ok(at)) = (usize::try_from(length), usize::try_from(at)) {
            // SAFETY: SQLite hands over `length` readable bytes.
            disk.write(id, at, unsafe {
                std::slice::from_raw_parts(from.cast(), length)
            });
        }
    }
    pass!(file, xWrite, from, length, at)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    // SAFETY: SQLite calls this with files that `open` opened.
    if let (Some((disk, id)), Ok(length)) = (unsafe { known(file) }, usize::try_from(length)) {
        disk.truncate(id, length);
    }
    pass!(file, xTruncate, length)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite calls this with files that `open` opened.
    if let Some((disk, id)) = unsafe { known(file) } {
        if disk.sync_fails.load(Ordering::SeqCst) {
            return ffi::SQLITE_IOERR_FSYNC;
        }
        // Before the real one: what is written while that runs is not covered by it.
        disk.sync(id);
    }
    pass!(file, xSync, flags)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    pass!(file, xFileSize, out)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    pass!(file, xFileControl, operation, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize,)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics,)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, page, size, extend, out)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    n: c_int,
    flags: c_int,
) -> c_int {
    pass!(file, xShmLock, offset, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    let real = real(file);
    // SAFETY: as in `pass!`.
    unsafe {
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}
