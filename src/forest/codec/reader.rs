//! Numbers and text from bytes that may be anything.

use crate::forest::ModelError;

/// What is left to read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// A count of things of at least `size` bytes each, which must all fit into what is left.
    pub(super) fn count(&mut self, size: usize) -> Result<usize, ModelError> {
        let count = self.u32()? as usize;
        if count > self.rest.len() / size {
            Err(ends_early())
        } else {
            Ok(count)
        }
    }

    /// Text behind its length.
    pub(super) fn text(&mut self) -> Result<String, ModelError> {
        let length = self.count(1)?;
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| ModelError::Malformed("text that is not UTF-8".into()))
    }

    pub(super) fn u16(&mut self) -> Result<u16, ModelError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, ModelError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, ModelError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Result<f32, ModelError> {
        self.array().map(f32::from_le_bytes)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), ModelError> {
        self.take(count).map(drop)
    }

    /// Fails unless everything was read.
    pub(super) fn end(&self) -> Result<(), ModelError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(ModelError::Malformed(format!("{left} bytes too many"))),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(ends_early)?;
        self.rest = rest;
        Ok(taken)
    }
}

fn ends_early() -> ModelError {
    ModelError::Malformed("it names more than it holds".into())
}
