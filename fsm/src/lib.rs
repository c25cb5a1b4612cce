#![no_std]
//! The core.
