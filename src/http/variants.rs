//! Tagged enums in the OpenAPI document: the tag belongs to the variant's own fields.
//!
//! A variant is described as `allOf` of its fields and its tag. Where its fields refuse all others, they refuse the tag
//! too, and no value is ever right: not for a client that validates, and not when a body's faults are named.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Components, Schema};

/// Writes the tag of each such variant into the schema of its fields, and refers to that alone.
pub fn close(components: &mut Components) {
    for name in components.schemas.keys().cloned().collect::<Vec<_>>() {
        let Some(RefOr::T(Schema::OneOf(mut enumeration))) = components.schemas.get(&name).cloned() else {
            continue;
        };
        for variant in &mut enumeration.items {
            if let Some(closed) = closed(variant, components) {
                *variant = closed;
            }
        }
        components.schemas.insert(name, RefOr::T(Schema::OneOf(enumeration)));
    }
}

fn closed(variant: &RefOr<Schema>, components: &mut Components) -> Option<RefOr<Schema>> {
    let RefOr::T(Schema::AllOf(parts)) = variant else {
        return None;
    };
    let [RefOr::Ref(fields), RefOr::T(Schema::Object(tag))] = parts.items.as_slice() else {
        return None;
    };
    let name = fields.ref_location.strip_prefix("#/components/schemas/")?;
    let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(name) else {
        return None;
    };
    if !matches!(
        object.additional_properties.as_deref(),
        Some(AdditionalProperties::FreeForm(false))
    ) {
        return None;
    }
    let fields_alone = std::mem::replace(&mut object.properties, tag.properties.clone());
    object.properties.extend(fields_alone);
    object.required.splice(0..0, tag.required.iter().cloned());
    Some(RefOr::Ref(fields.clone()))
}
