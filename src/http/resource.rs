//! An address and its methods. OPTIONS says which there are, and so does the 405 problem that any other method is.

use std::rc::Rc;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderName};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, web};

use super::problem::Problem;
use crate::telemetry::route::Route;

/// In which formats an address takes a PATCH (RFC 5789).
static ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The methods of one address.
pub struct Methods {
    resource: Resource,
    allowed: Vec<Method>,
}

/// Begins the list of methods of `path`.
pub fn resource(path: &str) -> Methods {
    Methods {
        resource: web::resource(path),
        allowed: Vec::new(),
    }
}

impl Methods {
    /// Answers GET, and HEAD in the same way without the body.
    #[must_use]
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, handler.clone()).on(Method::HEAD, handler)
    }

    /// Answers PUT.
    #[must_use]
    pub fn put<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::PUT, handler)
    }

    /// Answers PATCH.
    #[must_use]
    pub fn patch<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::PATCH, handler)
    }

    /// Answers POST.
    #[must_use]
    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::POST, handler)
    }

    /// Answers DELETE.
    #[must_use]
    pub fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::DELETE, handler)
    }

    fn on<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(web::method(method.clone()).to(handler));
        self.allowed.push(method);
        self
    }
}

impl HttpServiceFactory for Methods {
    fn register(self, config: &mut AppService) {
        let patched = self.allowed.contains(&Method::PATCH);
        let allowed = self.allowed.iter().chain([&Method::OPTIONS]);
        let allow = allowed.map(Method::as_str).collect::<Vec<_>>().join(", ");
        let methods = allow.clone();
        let tell = move || {
            let mut response = HttpResponse::NoContent();
            response.insert_header((ALLOW, methods.as_str()));
            if patched {
                response.insert_header((ACCEPT_PATCH.clone(), "application/merge-patch+json, application/json"));
            }
            let response = response.finish();
            async move { response }
        };
        let refuse = move |request: HttpRequest| {
            let problem = Problem::method_not_allowed(request.method(), &allow);
            async move { Err::<&'static str, _>(problem) }
        };
        self.resource
            .app_data(Rc::new(Route::default()))
            .route(web::method(Method::OPTIONS).to(tell))
            .default_service(web::to(refuse))
            .register(config);
    }
}
