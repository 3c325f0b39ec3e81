//! The cells of a set's tables on their way to and from PostgreSQL.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use crm_bulk::tables::Cell;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// A cell as a value of whatever type its column has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wire(pub(crate) Cell);

/// The version of the form in which jsonb travels.
const JSONB: u8 = 1;

type Failure = Box<dyn Error + Sync + Send>;

fn is_known(ty: &Type) -> bool {
    [Type::INT8, Type::TEXT, Type::BYTEA, Type::JSONB].contains(ty)
}

impl ToSql for Wire {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match &self.0 {
            Cell::Null => return Ok(IsNull::Yes),
            Cell::Integer(number) if *ty == Type::JSONB => {
                out.put_u8(JSONB);
                out.put_slice(number.to_string().as_bytes());
            }
            Cell::Integer(number) if *ty == Type::INT8 => out.put_i64(*number),
            Cell::Text(text) if *ty == Type::JSONB => {
                out.put_u8(JSONB);
                out.put_slice(&serde_json::to_vec(text)?);
            }
            Cell::Text(text) if *ty == Type::TEXT => out.put_slice(text.as_bytes()),
            Cell::Bytes(bytes) if *ty == Type::BYTEA => out.put_slice(bytes),
            _ => return Err(format!("a column of type {ty} does not hold this").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        is_known(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Wire {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        let cell = match *ty {
            Type::INT8 => Cell::Integer(i64::from_sql(ty, raw)?),
            Type::TEXT => Cell::Text(String::from_sql(ty, raw)?),
            Type::BYTEA => Cell::Bytes(raw.to_owned()),
            _ => match raw {
                [JSONB, json @ ..] if json.first() == Some(&b'"') => {
                    Cell::Text(serde_json::from_slice(json)?)
                }
                [JSONB, json @ ..] => Cell::Integer(std::str::from_utf8(json)?.parse()?),
                _ => return Err("another form of jsonb".into()),
            },
        };
        Ok(Self(cell))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(Cell::Null))
    }

    fn accepts(ty: &Type) -> bool {
        is_known(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_the_same_digits_as_a_text_come_back_as_what_they_were() {
        let cells = [
            (Cell::Integer(7), Type::JSONB),
            (Cell::Text("7".to_owned()), Type::JSONB),
            (Cell::Text("Gate ☎ \"44\"\n".to_owned()), Type::JSONB),
            (Cell::Integer(i64::MIN), Type::JSONB),
            (Cell::Integer(-4_411), Type::INT8),
            (Cell::Text("0042".to_owned()), Type::TEXT),
            (Cell::Bytes(vec![0, 255]), Type::BYTEA),
        ];
        for (cell, ty) in cells {
            let mut out = BytesMut::new();
            let sent = Wire(cell.clone()).to_sql(&ty, &mut out).expect("it can be sent");
            assert!(matches!(sent, IsNull::No));
            assert_eq!(Wire::from_sql(&ty, &out).expect("it can be read"), Wire(cell));
        }
        let sent = Wire(Cell::Null).to_sql(&Type::INT8, &mut BytesMut::new());
        assert!(matches!(sent, Ok(IsNull::Yes)));
        assert_eq!(Wire::from_sql_null(&Type::INT8).expect("it can be read"), Wire(Cell::Null));
        let other = Wire(Cell::Integer(7)).to_sql(&Type::TEXT, &mut BytesMut::new());
        assert!(other.is_err(), "nothing is converted in silence");
    }
}
