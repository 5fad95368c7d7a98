//! The whole dialect, from request to request.
