//! A 64-bit digest over any serialisable value, for comparing two runs of the machine.
//!
//! It folds serde's data model, so that the result depends on names and values, and neither on a
//! compiler's layout of enums nor on this machine's word size. It is no protection against
//! somebody who wants two values to collide.

use core::fmt::{self, Display};
use serde::ser::{self, Serialize};

/// The digest of a value.
pub fn digest<T: Serialize + ?Sized>(value: &T) -> u64 {
    let mut folder = Folder { state: SEED };
    match value.serialize(&mut folder) {
        Ok(()) => folder.state,
        Err(Unfoldable) => UNFOLDABLE,
    }
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;
/// What a value gives whose own `Serialize` fails; none of this crate's does.
const UNFOLDABLE: u64 = 0;

/// Folds one word into a running digest: the two halves of a 128-bit product, combined.
pub(crate) const fn mix(state: u64, word: u64) -> u64 {
    let product = (state ^ word) as u128 * FACTOR as u128;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are what is wanted"
    )]
    let folded = (product >> 64) as u64 ^ product as u64;
    folded.wrapping_add(SEED)
}

struct Folder {
    state: u64,
}

impl Folder {
    fn word(&mut self, word: u64) {
        self.state = mix(self.state, word);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }
}

#[derive(Debug)]
struct Unfoldable;

impl Display for Unfoldable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value's own serialisation failed")
    }
}

impl core::error::Error for Unfoldable {}

impl ser::Error for Unfoldable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

type Folded = Result<(), Unfoldable>;

impl ser::Serializer for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_bool(self, v: bool) -> Folded {
        self.word(u64::from(v));
        Ok(())
    }
    fn serialize_i8(self, v: i8) -> Folded {
        self.serialize_i64(i64::from(v))
    }
    fn serialize_i16(self, v: i16) -> Folded {
        self.serialize_i64(i64::from(v))
    }
    fn serialize_i32(self, v: i32) -> Folded {
        self.serialize_i64(i64::from(v))
    }
    fn serialize_i64(self, v: i64) -> Folded {
        self.word(v.cast_unsigned());
        Ok(())
    }
    fn serialize_u8(self, v: u8) -> Folded {
        self.serialize_u64(u64::from(v))
    }
    fn serialize_u16(self, v: u16) -> Folded {
        self.serialize_u64(u64::from(v))
    }
    fn serialize_u32(self, v: u32) -> Folded {
        self.serialize_u64(u64::from(v))
    }
    fn serialize_u64(self, v: u64) -> Folded {
        self.word(v);
        Ok(())
    }
    fn serialize_f32(self, v: f32) -> Folded {
        self.serialize_f64(f64::from(v))
    }
    fn serialize_f64(self, v: f64) -> Folded {
        self.word(v.to_bits());
        Ok(())
    }
    fn serialize_char(self, v: char) -> Folded {
        self.word(u64::from(v));
        Ok(())
    }
    fn serialize_str(self, v: &str) -> Folded {
        self.bytes(v.as_bytes());
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Folded {
        self.bytes(v);
        Ok(())
    }
    fn serialize_none(self) -> Folded {
        self.word(0);
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Folded {
        self.word(1);
        value.serialize(self)
    }
    fn serialize_unit(self) -> Folded {
        self.word(0);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Folded {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Folded {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Folded {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Folded {
        self.bytes(variant.as_bytes());
        value.serialize(self)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Unfoldable> {
        self.word(len.map_or(u64::MAX, |len| len as u64));
        Ok(self)
    }
    fn serialize_tuple(self, len: usize) -> Result<Self, Unfoldable> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Self, Unfoldable> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Unfoldable> {
        self.bytes(variant.as_bytes());
        Ok(self)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Self, Unfoldable> {
        self.serialize_seq(len)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfoldable> {
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Unfoldable> {
        self.bytes(variant.as_bytes());
        Ok(self)
    }
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Folded {
        struct Text<'f>(&'f mut Folder);
        impl fmt::Write for Text<'_> {
            fn write_str(&mut self, s: &str) -> fmt::Result {
                self.0.bytes(s.as_bytes());
                Ok(())
            }
        }
        fmt::write(&mut Text(self), format_args!("{value}")).map_err(|_| Unfoldable)
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

impl ser::SerializeSeq for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        Ok(())
    }
}

impl ser::SerializeTuple for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        Ok(())
    }
}

impl ser::SerializeTupleStruct for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        Ok(())
    }
}

impl ser::SerializeTupleVariant for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        Ok(())
    }
}

impl ser::SerializeMap for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Folded {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        Ok(())
    }
}

impl ser::SerializeStruct for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        Ok(())
    }
}

impl ser::SerializeStructVariant for &mut Folder {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::digest;
    use alloc::collections::BTreeMap;
    use serde::{Serialize, Serializer};

    #[derive(Serialize)]
    enum Kind {
        Unit,
        New(u8),
        Tuple(u8, u8),
        Struct { a: u8 },
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Pair(u8, u8);

    struct Bytes(&'static [u8]);

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    /// Logs hold digests, so a value's digest is the same in every version, on every machine.
    #[test]
    fn the_digest_of_a_value_never_changes() {
        let numbers = (1_u8, 2_u16, 3_u32, 4_u64, -1_i8, -2_i16, -3_i32, -4_i64);
        let words = (true, false, 'x', "text of more than eight bytes", ());
        let kinds = (
            Kind::Unit,
            Kind::New(1),
            Kind::Tuple(1, 2),
            Kind::Struct { a: 1 },
        );
        let digests = [
            digest(&numbers),
            digest(&words),
            digest(&kinds),
            digest(&(Unit, Pair(1, 2))),
            digest(&(Some(1_u8), None::<u8>)),
            digest(&(1.5_f64, 0.5_f32)),
            digest(&[1_u8, 2, 3][..]),
            digest(&(Bytes(b"12345678"), Bytes(b""))),
            digest(&BTreeMap::from([("a", 1_u8), ("b", 2)])),
            digest(&format_args!("{}", 17)),
            digest(&core::net::Ipv4Addr::LOCALHOST),
        ];
        assert_eq!(
            digests,
            [
                5_230_510_317_097_877_872,
                15_970_233_278_830_364_115,
                566_557_918_116_641_562,
                776_581_802_549_103_844,
                7_387_715_072_401_751_270,
                4_937_012_587_754_412_294,
                11_000_888_744_997_693_960,
                11_366_979_459_263_047_513,
                7_197_219_308_781_450_740,
                7_951_491_138_709_901_620,
                3_950_174_679_288_993_923
            ]
        );
    }
}
