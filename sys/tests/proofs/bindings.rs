//! Reads `src/bindings.rs`: each structure with the layout that bindgen lets rustc assert, each alias, and each
//! constant.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Expr, Item, Lit, Type, UnOp};

pub struct Bindings {
    pub structs: Vec<Struct>,
    pub aliases: Vec<(String, Type)>,
    pub constants: Vec<(String, Value)>,
    asserted: HashMap<String, u64>,
}

pub struct Struct {
    pub name: String,
    pub is_union: bool,
    pub size: u64,
    pub alignment: u64,
    pub fields: Vec<Field>,
}

pub struct Field {
    pub name: String,
    pub offset: u64,
    pub ty: Type,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(i128),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

/// How a type lies in memory. C's `char` is signed on amd64 and unsigned on arm64; pointers and structures
/// are neither.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    pub size: u64,
    pub signed: Option<bool>,
}

impl Bindings {
    /// The path of the bindings, which are for both architectures.
    pub fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bindings.rs")
    }

    pub fn read() -> Self {
        let path = Self::path();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Self {
        let file = syn::parse_file(text).expect("the bindings are Rust");

        let mut bindings = Self {
            structs: Vec::new(),
            aliases: Vec::new(),
            constants: Vec::new(),
            asserted: HashMap::new(),
        };
        for item in &file.items {
            if let Item::Const(item) = item
                && let Expr::Block(block) = &*item.expr
            {
                bindings.asserted.extend(block.block.stmts.iter().map(|statement| {
                    assertion(statement).unwrap_or_else(|| panic!("not an assertion: {statement:?}"))
                }));
            }
        }
        for item in file.items {
            match item {
                // Skip structures that C declares and does not define, and structures that only a kernel's pointer
                // leads to.
                Item::Struct(item) if is_incomplete(&item) => {}
                Item::Struct(item) => {
                    let layout = bindings.layout(item.ident.to_string(), false, item.fields.into_iter());
                    bindings.structs.push(layout);
                }
                Item::Union(item) => {
                    let layout = bindings.layout(item.ident.to_string(), true, item.fields.named.into_iter());
                    bindings.structs.push(layout);
                }
                Item::Type(item) => bindings.aliases.push((item.ident.to_string(), *item.ty)),
                Item::Const(item) if item.ident == "_" => {}
                Item::Const(item) => bindings.constants.push((item.ident.to_string(), value(&item.expr))),
                item => panic!("the proofs do not know what to make of {item:?}"),
            }
        }
        assert_eq!(bindings.asserted_by_structs(), bindings.asserted.len(), "assertions about nothing");
        bindings
    }

    /// The layout of one structure. rustc has checked all its numbers.
    fn layout(&self, name: String, is_union: bool, fields: impl Iterator<Item = syn::Field>) -> Struct {
        let asserted = |what: String| {
            *self.asserted.get(&what).unwrap_or_else(|| panic!("bindgen left out an assertion: {what}"))
        };
        let fields = fields
            .map(|field| {
                let field_name = field.ident.expect("C's fields have names").to_string();
                let offset = match is_made_up(&field_name) {
                    true => 0,
                    false => asserted(format!("Offset of field: {name}::{field_name}")),
                };
                Field { name: field_name, offset, ty: field.ty }
            })
            .collect();
        Struct {
            size: asserted(format!("Size of {name}")),
            alignment: asserted(format!("Alignment of {name}")),
            name,
            is_union,
            fields,
        }
    }

    fn asserted_by_structs(&self) -> usize {
        self.structs.iter().map(|layout| 2 + layout.named_fields().count()).sum()
    }

    /// The shape of a type that a field or an alias has.
    pub fn shape(&self, ty: &Type) -> Shape {
        match ty {
            Type::Ptr(_) => Shape { size: 8, signed: None },
            Type::Array(array) => {
                let Value::Number(length) = value(&array.len) else {
                    panic!("an array's length is a number")
                };
                Shape { size: self.shape(&array.elem).size * length as u64, signed: None }
            }
            Type::Path(path) => {
                let name = path.path.segments.last().expect("a path has segments").ident.to_string();
                self.shape_of_name(&name)
            }
            _ => panic!("the proofs do not know this type: {ty:?}"),
        }
    }

    fn shape_of_name(&self, name: &str) -> Shape {
        let (size, signed) = match name {
            "c_char" => (1, None),
            "u8" | "c_uchar" => (1, Some(false)),
            "i8" | "c_schar" => (1, Some(true)),
            "u16" | "c_ushort" => (2, Some(false)),
            "i16" | "c_short" => (2, Some(true)),
            "u32" | "c_uint" => (4, Some(false)),
            "i32" | "c_int" => (4, Some(true)),
            "u64" | "usize" | "c_ulong" => (8, Some(false)),
            "i64" | "isize" | "c_long" => (8, Some(true)),
            _ => {
                if let Some((_, ty)) = self.aliases.iter().find(|(alias, _)| alias == name) {
                    return self.shape(ty);
                }
                let layout = self.structs.iter().find(|layout| layout.name == name);
                (layout.unwrap_or_else(|| panic!("what is {name}?")).size, None)
            }
        };
        Shape { size, signed }
    }
}

impl Struct {
    /// The fields that C knows.
    pub fn named_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !is_made_up(&field.name))
    }
}

/// Whether a structure is incomplete in C.
fn is_incomplete(item: &syn::ItemStruct) -> bool {
    item.fields.len() == 1
        && item
            .fields
            .iter()
            .all(|field| field.ident.as_ref().is_some_and(|name| name == "_unused" || name == "_address"))
}

/// Whether bindgen invented the field, for a structure that it represents as bytes.
fn is_made_up(field: &str) -> bool {
    field.starts_with("_bindgen_")
}

/// One of bindgen's assertions, `["Size of ifreq"][size_of::<ifreq>() - 32usize];`: rustc refuses it unless
/// the difference is the index of the only element, 0.
fn assertion(statement: &syn::Stmt) -> Option<(String, u64)> {
    let syn::Stmt::Expr(Expr::Index(index), _) = statement else {
        return None;
    };
    let Expr::Array(array) = &*index.expr else {
        return None;
    };
    let Expr::Binary(difference) = &*index.index else {
        return None;
    };
    let Value::Text(what) = value(array.elems.first()?) else {
        return None;
    };
    let Value::Number(number) = value(&difference.right) else {
        return None;
    };
    let computed = match &*difference.left {
        Expr::Call(call) => computed_by_call(call)?,
        Expr::Macro(call) if call.mac.path.segments.last()?.ident == "offset_of" => {
            format!(
                "Offset of field: {}",
                call.mac.tokens.to_string().replace(" , ", "::").replace(", ", "::")
            )
        }
        _ => return None,
    };
    let sound = array.elems.len() == 1 && matches!(difference.op, syn::BinOp::Sub(_)) && what == computed;
    sound.then_some((what, u64::try_from(number).ok()?))
}

/// The subject of `size_of::<T>()` or `align_of::<T>()`, in the words of bindgen's assertions.
fn computed_by_call(call: &syn::ExprCall) -> Option<String> {
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let segment = function.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    let syn::GenericArgument::Type(Type::Path(ty)) = arguments.args.first()? else {
        return None;
    };
    let name = ty.path.get_ident()?;
    match segment.ident.to_string().as_str() {
        "size_of" => Some(format!("Size of {name}")),
        "align_of" => Some(format!("Alignment of {name}")),
        _ => None,
    }
}

/// Reads a constant's value, which is a literal in the bindings.
fn value(expression: &Expr) -> Value {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => Value::Number(number.base10_parse().expect("it fits")),
            Lit::Str(text) => Value::Text(text.value()),
            Lit::ByteStr(text) => {
                let text = String::from_utf8(text.value()).expect("C's text is ASCII");
                Value::Text(text.strip_suffix('\0').expect("C's text ends in NUL").to_owned())
            }
            other => panic!("not a number and not a text: {other:?}"),
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match value(&unary.expr) {
            Value::Number(number) => Value::Number(-number),
            Value::Text(text) => panic!("a negative text: {text}"),
        },
        other => panic!("not a literal: {other:?}"),
    }
}
