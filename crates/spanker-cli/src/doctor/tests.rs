// SPDX-License-Identifier: Apache-2.0
//! On machines laid out in a folder.
