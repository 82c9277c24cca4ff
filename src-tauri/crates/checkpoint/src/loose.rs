//! Writes and reads loose objects with as few system calls as it can.
//!
//! A file is made without a name and linked into place when it is whole, so that a killed process
//! leaves nothing behind; where the file system cannot do that, it is written beside its place and
//! renamed. Nothing is flushed here: durability is one `syncfs` at the end of a turn.

use flate2::read::ZlibDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Above this many bytes a tree is stored uncompressed: it is mostly hashes, and packing comes later.
const TREE_STORED: usize = 8 * 1024;

/// Compresses objects, one buffer for all.
pub struct Deflater {
    fast: Compress,
    stored: Compress,
    output: Vec<u8>,
}

impl Default for Deflater {
    fn default() -> Self {
        Self {
            fast: Compress::new(Compression::fast(), true),
            stored: Compress::new(Compression::none(), true),
            output: Vec::new(),
        }
    }
}

impl Deflater {
    /// The bytes of a loose object's file.
    pub fn object(&mut self, kind: &str, bytes: &[u8]) -> io::Result<&[u8]> {
        let compress = match kind == "tree" && bytes.len() > TREE_STORED {
            true => &mut self.stored,
            false => &mut self.fast,
        };
        compress.reset();
        self.output.clear();
        // Room for the worst case: five bytes for each stored block of 16 KiB, and the frame.
        self.output.reserve(bytes.len() + bytes.len() / 1024 + 256);
        let header = format!("{kind} {}\0", bytes.len());
        feed(
            compress,
            header.as_bytes(),
            &mut self.output,
            FlushCompress::None,
        )?;
        feed(compress, bytes, &mut self.output, FlushCompress::Finish)?;
        Ok(&self.output)
    }
}

/// A loose blob's bytes; nothing where there is none that is whole and no larger than `most`.
pub fn blob(file: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut packed = Vec::with_capacity(4096);
    opened.take(most).read_to_end(&mut packed)?;
    let mut whole = Vec::with_capacity(4 * packed.len());
    let inflated = ZlibDecoder::new(&*packed).take(most + 32);
    // Half a file, or one that is too large: whoever reads it otherwise says so.
    if { inflated }.read_to_end(&mut whole).is_err() {
        return Ok(None);
    }
    let Some(end) = whole.iter().position(|byte| *byte == 0) else {
        return Ok(None);
    };
    let length = whole.len() - end - 1;
    if whole[..end] != *format!("blob {length}").as_bytes() {
        return Ok(None);
    }
    whole.drain(..=end);
    Ok(Some(whole))
}

fn feed(
    compress: &mut Compress,
    input: &[u8],
    output: &mut Vec<u8>,
    flush: FlushCompress,
) -> io::Result<()> {
    let start = compress.total_in();
    loop {
        let done = usize::try_from(compress.total_in() - start).unwrap_or(usize::MAX);
        let rest = input.get(done..).unwrap_or_default();
        let finish = matches!(flush, FlushCompress::Finish);
        if rest.is_empty() && !finish {
            return Ok(());
        }
        let status = compress
            .compress_vec(rest, output, flush)
            .map_err(io::Error::other)?;
        match status {
            Status::StreamEnd => return Ok(()),
            Status::Ok | Status::BufError => output.reserve(input.len() / 8 + 4096),
        }
    }
}

/// Puts a file with these bytes at a place where none is; one that is there already stays. A folder
/// that is not there, or is made anew at this moment because the store is packed, is made.
pub fn place(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    const TRIES: u32 = 3;
    let mut tries = 1;
    loop {
        match place_once(dir, name, bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => {
                std::fs::create_dir_all(dir)?;
                tries += 1;
            }
            other => return other,
        }
    }
}

fn place_once(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
        match open(dir, flags, Mode::from_raw_mode(0o444)) {
            Ok(opened) => {
                let mut file = File::from(opened);
                file.write_all(bytes)?;
                let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
                match linkat(CWD, unnamed, CWD, dir.join(name), AtFlags::SYMLINK_FOLLOW) {
                    Ok(()) | Err(Errno::EXIST) => return Ok(()),
                    // No /proc: the other way.
                    Err(Errno::NOENT) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut beside = tempfile::NamedTempFile::new_in(dir)?;
    beside.write_all(bytes)?;
    match beside.persist_noclobber(dir.join(name)) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}
