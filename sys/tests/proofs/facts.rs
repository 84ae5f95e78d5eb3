//! The facts to prove, and the C assertion for each.

use std::fmt;

use jailwire_sys::{ENUMERATED, NEWER, request};

use crate::bindings::{Bindings, Shape, Struct, Value};

/// A number that must be the same in Rust and C.
pub struct Fact {
    /// The subject: `ifreq`, `ifreq.ifr_ifru`, `IFF_UP`.
    pub name: String,
    pub kind: Kind,
    /// An expression of C.
    pub c: String,
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Size,
    Alignment,
    Offset,
    FieldSize,
    FieldSign,
    AliasSize,
    AliasSign,
    Constant,
    Request,
}

impl Fact {
    fn new(kind: Kind, name: impl Into<String>, c: impl Into<String>, value: impl Into<i128>) -> Self {
        Self { name: name.into(), kind, c: c.into(), value: Value::Number(value.into()) }
    }

    /// The C assertion that the number is the same in C. Numbers are compared as `long long`. Only unsigned 64-bit
    /// numbers with the highest bit set do not fit that type.
    pub fn assertion(&self) -> String {
        let c = &self.c;
        match &self.value {
            Value::Number(number) if *number > i64::MAX.into() => {
                format!("_Static_assert(({c}) == {number}ULL, \"\");")
            }
            Value::Number(number) => {
                format!("_Static_assert((long long)({c}) == {number}LL, \"{c}\");")
            }
            Value::Text(text) => {
                format!("_Static_assert(__builtin_strcmp({c}, \"{text}\") == 0, \"\");")
            }
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Size | Kind::AliasSize | Kind::FieldSize => "size of ",
            Kind::Alignment => "alignment of ",
            Kind::Offset => "offset of ",
            Kind::FieldSign | Kind::AliasSign => "signedness of ",
            Kind::Constant | Kind::Request => "",
        };
        write!(formatter, "{what}{}, {} in Rust", self.name, self.value)
    }
}

/// How many facts of each kind there are.
pub fn count(facts: &[Fact]) -> String {
    let of = |kind| facts.iter().filter(|fact| fact.kind == kind).count();
    format!(
        "{} facts: {} structures with {} fields, {} aliases, {} constants, {} requests",
        facts.len(),
        of(Kind::Size),
        of(Kind::Offset),
        of(Kind::AliasSize),
        of(Kind::Constant),
        of(Kind::Request),
    )
}

/// Everything that this crate claims.
pub fn all(bindings: &Bindings) -> Vec<Fact> {
    let mut facts = Vec::new();
    for layout in &bindings.structs {
        structure(bindings, layout, &mut facts);
    }
    for (name, ty) in &bindings.aliases {
        let c = match name.as_str() {
            "prison_state" => "enum prison_state",
            name => name,
        };
        let Shape { size, signed } = bindings.shape(ty);
        facts.push(Fact::new(Kind::AliasSize, name, format!("sizeof({c})"), size));
        if let Some(signed) = signed {
            facts.push(Fact::new(Kind::AliasSign, name, format!("({c})-1 < ({c})1"), signed));
        }
    }
    for (name, value) in &bindings.constants {
        facts.push(Fact { name: name.clone(), kind: Kind::Constant, c: name.clone(), value: value.clone() });
    }
    let by_hand = ENUMERATED.iter().chain(NEWER);
    facts.extend(by_hand.map(|&(name, value)| Fact::new(Kind::Constant, name, name, value)));
    facts.extend(request::all().map(|(name, number)| Fact::new(Kind::Request, name, name, number)));
    facts
}

fn structure(bindings: &Bindings, layout: &Struct, facts: &mut Vec<Fact>) {
    let name = &layout.name;
    let c = c_type(bindings, layout);
    facts.push(Fact::new(Kind::Size, name, format!("sizeof({c})"), layout.size));
    facts.push(Fact::new(Kind::Alignment, name, format!("_Alignof({c})"), layout.alignment));
    for field in layout.named_fields() {
        let name = format!("{name}.{}", field.name);
        let c_name = c_name(&field.name);
        let member = format!("(({c} *)0)->{c_name}");
        let Shape { size, signed } = bindings.shape(&field.ty);
        facts.push(Fact::new(
            Kind::Offset,
            &name,
            format!("__builtin_offsetof({c}, {c_name})"),
            field.offset,
        ));
        facts.push(Fact::new(Kind::FieldSize, &name, format!("sizeof({member})"), size));
        if let Some(signed) = signed {
            let c = format!("(__typeof__({member}))-1 < (__typeof__({member}))1");
            facts.push(Fact::new(Kind::FieldSign, &name, c, signed));
        }
    }
}

/// The name of the type of `layout` in C.
fn c_type(bindings: &Bindings, layout: &Struct) -> String {
    match bindings.structs.iter().find_map(|outer| declared_in(outer, layout)) {
        Some((outer, field, star)) => {
            format!("__typeof__({star}(({} *)0)->{field})", c_type(bindings, outer))
        }
        None => format!("{} {}", if layout.is_union { "union" } else { "struct" }, layout.name),
    }
}

/// The field of `outer` whose type is `layout`, if C declares the type inside `outer`. Then the name of the type in
/// Rust begins with the name of `outer`. C may have no name for it, and reaches it through the field, with a star
/// in front if the field is a pointer.
fn declared_in<'a>(outer: &'a Struct, layout: &Struct) -> Option<(&'a Struct, &'a str, &'static str)> {
    let rest = layout.name.strip_prefix(&outer.name)?.strip_prefix('_')?;
    let is_the_type = |ty: &syn::Type| match ty {
        syn::Type::Path(path) => path.path.is_ident(&layout.name),
        _ => false,
    };
    outer
        .fields
        .iter()
        .find_map(|field| match &field.ty {
            syn::Type::Ptr(pointer) if is_the_type(&pointer.elem) => Some((outer, &*field.name, "*")),
            ty if is_the_type(ty) => Some((outer, &*field.name, "")),
            _ => None,
        })
        .filter(|_| !rest.is_empty())
}

/// Removes the `_` that bindgen appends to keywords of Rust.
fn c_name(field: &str) -> &str {
    match field.strip_suffix('_') {
        Some(word) if syn::parse_str::<syn::Ident>(word).is_err() => word,
        _ => field,
    }
}
