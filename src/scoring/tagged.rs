//! Schemas of enums that say in their field `kind` which variant they are.

use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};

/// The schema of a variant: an object of the variant's own fields and its `kind`, and of nothing else.
///
/// What utoipa derives is both at once (`allOf`) of the fields and of the `kind`, and since the first part takes no other
/// field than its own, nothing fits it.
pub fn variant<T: ToSchema>(kind: &str) -> Schema {
    let mut object = match T::schema() {
        RefOr::T(Schema::Object(object)) => object,
        // A struct has no other schema.
        _ => ObjectBuilder::new().build(),
    };
    object.title = Some(T::name().into_owned());
    tagged(object, kind)
}

/// The schema of a variant that has no fields.
pub fn bare(kind: &str) -> Schema {
    tagged(ObjectBuilder::new().build(), kind)
}

fn tagged(mut object: Object, kind: &str) -> Schema {
    let tag = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some([kind]));
    object.properties.insert("kind".to_owned(), tag.into());
    object.required.push("kind".to_owned());
    Schema::Object(object)
}

/// Gives an enum the schema of its variants, each with its `kind`; a variant without fields is named by its kind alone.
macro_rules! tagged_schema {
    ($name:ident: $description:literal, $($kind:literal $(=> $variant:ty)?),+ $(,)?) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::OneOfBuilder::new()
                    .description(Some($description))
                    $(.item($crate::scoring::tagged::tagged_schema!(@variant $kind $(=> $variant)?)))+
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
                $($(<$variant as utoipa::ToSchema>::schemas(schemas);)?)+
            }
        }
    };
    (@variant $kind:literal => $variant:ty) => { $crate::scoring::tagged::variant::<$variant>($kind) };
    (@variant $kind:literal) => { $crate::scoring::tagged::bare($kind) };
}

pub(crate) use tagged_schema;
