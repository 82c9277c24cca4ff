//! Large texts, kept once each in packed parts that can be read from any place.

use crate::{Store, StoreError};
use espalier_protocol::BlobId;
use espalier_protocol::view::TextPage;
use sqlx::{Row, SqliteConnection};
use std::io::Read;
use std::path::Path;

/// Bytes of a part before packing.
const PART: usize = 256 * 1024;

impl Store {
    /// Keeps a text. The same text is kept once.
    pub async fn put_text(&self, bytes: &[u8]) -> Result<BlobId, StoreError> {
        let id = BlobId::new(blake3::hash(bytes).to_hex().to_string());
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        if !has(&mut transaction, &id).await? {
            let mut start = 0;
            for (number, part) in bytes.chunks(PART).enumerate() {
                put(&mut transaction, &id, number, start, part).await?;
                start += part.len();
            }
            if bytes.is_empty() {
                put(&mut transaction, &id, 0, 0, &[]).await?;
            }
        }
        transaction.commit().await?;
        Ok(id)
    }

    /// Keeps a file's text without holding it in memory.
    pub async fn put_text_file(&self, path: &Path) -> Result<BlobId, StoreError> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(path)?)?;
        let id = BlobId::new(hasher.finalize().to_hex().to_string());
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        if !has(&mut transaction, &id).await? {
            let mut file = std::fs::File::open(path)?;
            let (mut number, mut start) = (0, 0);
            loop {
                let mut part = Vec::with_capacity(PART);
                file.by_ref().take(PART as u64).read_to_end(&mut part)?;
                if part.is_empty() && number > 0 {
                    break;
                }
                put(&mut transaction, &id, number, start, &part).await?;
                start += part.len();
                number += 1;
                if part.len() < PART {
                    break;
                }
            }
        }
        transaction.commit().await?;
        Ok(id)
    }

    /// A whole text.
    pub async fn text(&self, id: &BlobId) -> Result<Vec<u8>, StoreError> {
        let rows = sqlx::query("SELECT data FROM texts WHERE hash = ? ORDER BY part")
            .bind(id.as_str())
            .fetch_all(&self.readers)
            .await?;
        if rows.is_empty() {
            return Err(StoreError::NoText(id.to_string()));
        }
        let mut text = Vec::new();
        for row in rows {
            text.extend(zstd::decode_all(row.try_get::<&[u8], _>("data")?)?);
        }
        Ok(text)
    }

    /// At most `max` bytes of a text from `offset` on, cut between characters.
    pub async fn text_page(
        &self,
        id: &BlobId,
        offset: u32,
        max: u32,
    ) -> Result<TextPage, StoreError> {
        let (total,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(start + length) FROM texts WHERE hash = ?")
                .bind(id.as_str())
                .fetch_one(&self.readers)
                .await?;
        let total = total.ok_or_else(|| StoreError::NoText(id.to_string()))?;
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        let end = offset.saturating_add(max.max(4)).min(total);
        let rows = sqlx::query(
            "SELECT start, data FROM texts WHERE hash = ? AND start < ? AND start + length > ? ORDER BY part",
        )
        .bind(id.as_str())
        .bind(end)
        .bind(offset)
        .fetch_all(&self.readers)
        .await?;
        let mut bytes = Vec::new();
        for row in rows {
            let start = usize::try_from(row.try_get::<i64, _>("start")?).unwrap_or(0);
            let part = zstd::decode_all(row.try_get::<&[u8], _>("data")?)?;
            let from = (offset as usize).saturating_sub(start).min(part.len());
            let to = (end as usize).saturating_sub(start).min(part.len());
            bytes.extend_from_slice(&part[from..to]);
        }
        let cut = if end < total {
            between_characters(&bytes)
        } else {
            bytes.len()
        };
        let next = offset + u32::try_from(cut).unwrap_or(u32::MAX);
        Ok(TextPage {
            text: String::from_utf8_lossy(&bytes[..cut]).into_owned(),
            next_offset: (next < total).then_some(next),
            total_bytes: total,
        })
    }
}

/// The last place in `bytes` that is no middle of a UTF-8 character.
fn between_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(4);
    (tail..bytes.len())
        .rev()
        .find(|&at| bytes[at] & 0b1100_0000 != 0b1000_0000)
        .filter(|&at| at > 0 && std::str::from_utf8(&bytes[at..]).is_err())
        .unwrap_or(bytes.len())
}

async fn has(connection: &mut SqliteConnection, id: &BlobId) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM texts WHERE hash = ? LIMIT 1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

async fn put(
    connection: &mut SqliteConnection,
    id: &BlobId,
    number: usize,
    start: usize,
    part: &[u8],
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO texts (hash, part, start, length, data) VALUES (?, ?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(i64::try_from(number).unwrap_or(i64::MAX))
        .bind(i64::try_from(start).unwrap_or(i64::MAX))
        .bind(i64::try_from(part.len()).unwrap_or(i64::MAX))
        .bind(zstd::encode_all(part, 3)?)
        .execute(connection)
        .await?;
    Ok(())
}
