//! Large texts beside the event log: kept in compressed pieces, read page by page.
//!
//! A text goes in piece by piece, each few in a transaction of their own, so that memory stays flat
//! and other writers get their turn. It exists once its last transaction is through; pieces of one
//! that was cut short are found again when it is stored anew.

mod page;

use crate::connection::begin;
use crate::log::unfit;
use crate::{Result, Store, StoreError};
use espalier_protocol::BlobId;
use espalier_protocol::view::TextPage;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::io::Read;
use std::path::Path;
use tokio::sync::mpsc;

/// Raw bytes of a piece.
const CHUNK: usize = 256 << 10;
/// Pieces that wait to be stored.
const WAITING: usize = 8;
const LEVEL: i32 = 3;

/// A piece of a text, compressed.
struct Chunk {
    hash: [u8; 32],
    bytes: u32,
    data: Vec<u8>,
}

/// A text that was read to its end.
struct Whole {
    id: BlobId,
    bytes: u64,
}

/// A text as the database knows it.
struct Stored {
    number: i64,
    bytes: u32,
    chunk_bytes: u32,
}

impl Store {
    /// Keeps a text and returns its id. The same text kept twice is there once.
    pub async fn put_text(&self, text: &[u8]) -> Result<BlobId> {
        self.put(std::io::Cursor::new(text.to_vec()), self.path())
            .await
    }

    /// Keeps the content of a file; its size does not matter for memory.
    pub async fn put_text_file(&self, file: &Path) -> Result<BlobId> {
        let unreadable = |source| StoreError::Io {
            path: file.to_owned(),
            source,
        };
        let opened = tokio::fs::File::open(file).await.map_err(unreadable)?;
        self.put(opened.into_std().await, file).await
    }

    async fn put(&self, source: impl Read + Send + 'static, from: &Path) -> Result<BlobId> {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let reader = tokio::task::spawn_blocking(move || compress(source, &sender));
        let mut parts = Vec::new();
        let mut batch = Vec::with_capacity(WAITING);
        while receiver.recv_many(&mut batch, WAITING).await > 0 {
            parts.extend(self.patiently(|| self.keep_chunks(&batch)).await?);
            batch.clear();
        }
        let whole = reader
            .await
            .map_err(|error| StoreError::Cut(error.to_string()))?
            .map_err(|source| StoreError::Io {
                path: from.to_owned(),
                source,
            })?;
        let bytes = u32::try_from(whole.bytes).map_err(|_| StoreError::TextTooLarge)?;
        self.patiently(|| self.keep_text(&whole.id, bytes, &parts))
            .await?;
        Ok(whole.id)
    }

    /// The numbers of these pieces, kept now or before.
    async fn keep_chunks(&self, chunks: &[Chunk]) -> Result<Vec<i64>> {
        let failed = |error| self.classify(error);
        let mut numbers = Vec::with_capacity(chunks.len());
        let mut writer = self.writer().await?;
        let mut transaction = begin(&mut writer.connection).await.map_err(failed)?;
        for chunk in chunks {
            let known: Option<i64> =
                sqlx::query_scalar("SELECT number FROM text_chunks WHERE hash = ?1")
                    .bind(&chunk.hash[..])
                    .fetch_optional(&mut *transaction)
                    .await
                    .map_err(failed)?;
            let number = match known {
                Some(number) => number,
                None => {
                    sqlx::query("INSERT INTO text_chunks (hash, bytes, data) VALUES (?1, ?2, ?3)")
                        .bind(&chunk.hash[..])
                        .bind(chunk.bytes)
                        .bind(&chunk.data)
                        .execute(&mut *transaction)
                        .await
                        .map_err(failed)?
                        .last_insert_rowid()
                }
            };
            numbers.push(number);
        }
        transaction.commit().await.map_err(failed)?;
        writer.is_idle = true;
        Ok(numbers)
    }

    async fn keep_text(&self, id: &BlobId, bytes: u32, parts: &[i64]) -> Result<()> {
        let failed = |error| self.classify(error);
        let mut writer = self.writer().await?;
        let mut transaction = begin(&mut writer.connection).await.map_err(failed)?;
        let made = sqlx::query(
            "INSERT INTO texts (id, bytes, chunk_bytes) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(bytes)
        .bind(i64::try_from(CHUNK).map_err(unfit)?)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if made.rows_affected() > 0 {
            let text = made.last_insert_rowid();
            // One statement however many pieces: their numbers go in as a JSON list.
            let numbers = crate::log::json(&parts)?;
            sqlx::query(
                "INSERT INTO text_parts (text, position, chunk)
                 SELECT ?1, key, value FROM json_each(?2)",
            )
            .bind(text)
            .bind(numbers)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        writer.is_idle = true;
        Ok(())
    }

    /// A page of a text from a byte offset: about `max` bytes, at least one character. Bytes that
    /// are not UTF-8 are shown as U+FFFD; pages read one after the other are the whole text.
    pub async fn text_page(&self, blob: &BlobId, offset: u32, max: u32) -> Result<TextPage> {
        let stored = self.stored(blob).await?;
        let span = page::span(offset, max, stored.bytes);
        let bytes = self.bytes(blob, &stored, span.from, span.to).await?;
        Ok(page::cut(&bytes, &span, stored.bytes))
    }

    /// A whole text.
    pub async fn text(&self, blob: &BlobId) -> Result<Vec<u8>> {
        let stored = self.stored(blob).await?;
        self.bytes(blob, &stored, 0, stored.bytes).await
    }

    async fn stored(&self, blob: &BlobId) -> Result<Stored> {
        let failed = |error| self.classify(error);
        let row = sqlx::query("SELECT number, bytes, chunk_bytes FROM texts WHERE id = ?1")
            .bind(blob.as_str())
            .fetch_optional(&mut *self.reader().await?)
            .await
            .map_err(failed)?
            .ok_or_else(|| StoreError::UnknownText(blob.clone()))?;
        Ok(Stored {
            number: row.try_get("number").map_err(failed)?,
            bytes: row.try_get("bytes").map_err(failed)?,
            chunk_bytes: row.try_get("chunk_bytes").map_err(failed)?,
        })
    }

    /// The bytes from `from` up to, not with, `to`.
    async fn bytes(&self, blob: &BlobId, stored: &Stored, from: u32, to: u32) -> Result<Vec<u8>> {
        if from >= to {
            return Ok(Vec::new());
        }
        let size = stored.chunk_bytes.max(1);
        let (first, last) = (from / size, (to - 1) / size);
        let rows = sqlx::query(
            "SELECT c.hash, c.bytes, c.data
             FROM text_parts AS p JOIN text_chunks AS c ON c.number = p.chunk
             WHERE p.text = ?1 AND p.position BETWEEN ?2 AND ?3
             ORDER BY p.position",
        )
        .bind(stored.number)
        .bind(first)
        .bind(last)
        .fetch_all(&mut *self.reader().await?)
        .await
        .map_err(|error| self.classify(error))?;
        let store = self.clone();
        let damaged = StoreError::Corrupt {
            path: self.inner.path.clone(),
            detail: format!("the text {blob} is not whole"),
        };
        tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            for row in &rows {
                bytes.extend(store.decompress(row)?);
            }
            let skip = index(from - first * size);
            let end = skip + index(to - from);
            if bytes.len() < end {
                return Err(damaged);
            }
            bytes.truncate(end);
            bytes.drain(..skip);
            Ok(bytes)
        })
        .await
        .map_err(|error| StoreError::Cut(error.to_string()))?
    }

    fn decompress(&self, row: &SqliteRow) -> Result<Vec<u8>> {
        let failed = |error| self.classify(error);
        let hash: &[u8] = row.try_get("hash").map_err(failed)?;
        let size: u32 = row.try_get("bytes").map_err(failed)?;
        let data: &[u8] = row.try_get("data").map_err(failed)?;
        zstd::bulk::decompress(data, index(size))
            .ok()
            .filter(|raw| blake3::hash(raw).as_bytes().as_slice() == hash)
            .ok_or_else(|| StoreError::Corrupt {
                path: self.inner.path.clone(),
                detail: "a piece of a text is not what was stored".to_owned(),
            })
    }
}

/// Reads to the end and passes the pieces on. It ends early at what is too large to be kept, and
/// where the receiver is gone; nothing is made of what it returns then.
fn compress(mut source: impl Read, sender: &mpsc::Sender<Chunk>) -> std::io::Result<Whole> {
    let mut whole = blake3::Hasher::new();
    let mut bytes = 0;
    loop {
        let mut raw = Vec::with_capacity(CHUNK);
        source.by_ref().take(CHUNK as u64).read_to_end(&mut raw)?;
        if raw.is_empty() {
            break;
        }
        whole.update(&raw);
        bytes += raw.len() as u64;
        if bytes > u64::from(u32::MAX) {
            break;
        }
        let chunk = Chunk {
            hash: blake3::hash(&raw).into(),
            bytes: u32::try_from(raw.len()).unwrap_or(u32::MAX),
            data: zstd::bulk::compress(&raw, LEVEL)?,
        };
        if sender.blocking_send(chunk).is_err() {
            break;
        }
    }
    Ok(Whole {
        id: BlobId(whole.finalize().to_hex().to_string()),
        bytes,
    })
}

/// A size as an index; no platform that Espalier runs on has narrower ones.
const fn index(size: u32) -> usize {
    size as usize
}
