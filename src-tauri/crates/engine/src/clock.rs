//! The time that events carry.

use espalier_protocol::Millis;

/// Now, in milliseconds since 1970.
pub fn now() -> Millis {
    Millis(jiff::Timestamp::now().as_millisecond())
}
