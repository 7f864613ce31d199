//! The two documents that the project was founded on, sentence by sentence. Each test quotes what it
//! holds the program to; examples are kept to the letter, only host and tokens are replaced.
//!
//! Advice to people ("do not expose …") is a sentence that they must meet where they get the
//! credential.

mod advice;
mod direct;
mod example;
mod instance_api;
mod instance_api_access;
mod mcp;
mod mcp_token;
