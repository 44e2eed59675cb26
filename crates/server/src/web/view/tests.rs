//! What people write comes out as text, whatever they write.
