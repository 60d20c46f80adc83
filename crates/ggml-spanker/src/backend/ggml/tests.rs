// SPDX-License-Identifier: Apache-2.0
//! The mirror against ggml's own headers, by the C compiler: where each field is,
//! how large it is, and what the constants are.

use super::*;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::mem::{size_of, MaybeUninit};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::addr_of;

/// The folder `ggml` of ggml's or llama.cpp's source.
const SOURCE: &str = "GGML_SOURCE";

/// What is asked of C, and what is true here.
struct Facts(Vec<(String, usize)>);

/// The size of what a pointer points to.
fn pointee<T>(_: *const T) -> usize {
    size_of::<T>()
}

macro_rules! fields {
    ($facts:ident, $rust:ty, $c:literal: $($field:ident $(as $name:ident)?),* $(,)?) => {{
        let value = MaybeUninit::<$rust>::uninit();
        let start = value.as_ptr();
        $(
            let name = stringify!($field);
            $(let name = { let _ = name; stringify!($name) };)?
            // SAFETY: the place of a field of memory that is there; it is not read.
            let field = unsafe { addr_of!((*start).$field) };
            let offset = field as usize - start as usize;
            $facts.0.push((format!("offsetof({}, {name})", $c), offset));
            $facts.0.push((format!("sizeof((({} *) 0)->{name})", $c), pointee(field)));
        )*
        $facts.0.push((format!("sizeof({})", $c), size_of::<$rust>()));
    }};
}

fn facts() -> Facts {
    let mut facts = Facts(Vec::new());
    fields!(facts, Tensor, "struct ggml_tensor": type_ as type, buffer, ne, nb, op, op_params,
        flags, src, view_src, view_offs, data, name, extra, padding);
    fields!(facts, BufferTypeCalls, "struct ggml_backend_buffer_type_i": get_name, alloc_buffer,
        get_alignment, get_max_size, get_alloc_size, is_host);
    fields!(facts, BufferType, "struct ggml_backend_buffer_type": iface, device, context);
    fields!(facts, BufferCalls, "struct ggml_backend_buffer_i": free_buffer, get_base, init_tensor,
        memset_tensor, set_tensor, get_tensor, set_tensor_2d, get_tensor_2d, cpy_tensor, clear,
        reset);
    fields!(facts, Buffer, "struct ggml_backend_buffer": iface, buft, context, size, usage);
    fields!(facts, StreamCalls, "struct ggml_backend_i": get_name, free, set_tensor_async,
        get_tensor_async, set_tensor_2d_async, get_tensor_2d_async, cpy_tensor_async, synchronize,
        graph_plan_create, graph_plan_free, graph_plan_update, graph_plan_compute, graph_compute,
        event_record, event_wait, graph_optimize);
    fields!(facts, Stream, "struct ggml_backend": guid, iface, device, context);
    fields!(facts, DeviceCaps, "struct ggml_backend_dev_caps": async_ as async, host_buffer,
        buffer_from_host_ptr, events, mmap_support);
    fields!(facts, DeviceProps, "struct ggml_backend_dev_props": name, description, memory_free,
        memory_total, type_ as type, device_id, caps);
    fields!(facts, DeviceCalls, "struct ggml_backend_device_i": get_name, get_description,
        get_memory, get_type, get_props, init_backend, get_buffer_type, get_host_buffer_type,
        buffer_from_host_ptr, supports_op, supports_buft, offload_op, event_new, event_free,
        event_synchronize);
    fields!(facts, Device, "struct ggml_backend_device": iface, reg, context);
    fields!(facts, RegistryCalls, "struct ggml_backend_reg_i": get_name, get_device_count,
        get_device, get_proc_address);
    fields!(facts, Registry, "struct ggml_backend_reg": api_version, iface, context);
    fields!(facts, Graph, "struct ggml_cgraph": size, n_nodes, n_leafs, nodes);
    // What of the graph is not mirrored is behind that.
    facts.0.retain(|(question, _)| question != "sizeof(struct ggml_cgraph)");
    for (name, value) in [
        ("GGML_BACKEND_API_VERSION", API_VERSION),
        ("GGML_STATUS_FAILED", STATUS_FAILED),
        ("GGML_STATUS_SUCCESS", STATUS_SUCCESS),
        ("GGML_LOG_LEVEL_WARN", LOG_LEVEL_WARN),
        ("GGML_LOG_LEVEL_ERROR", LOG_LEVEL_ERROR),
        ("GGML_BACKEND_DEVICE_TYPE_ACCEL", DEVICE_TYPE_ACCEL),
        ("GGML_TENSOR_FLAG_COMPUTE", TENSOR_FLAG_COMPUTE),
        ("sizeof(ggml_guid)", 16),
    ] {
        facts.0.push((name.to_owned(), value as usize));
    }
    facts
}

/// The types of all callbacks that are filled in or called, which C compares:
/// a wrong one does not compile.
const TYPES: &str = "
_Static_assert(sizeof(enum ggml_op) == 4 && sizeof(enum ggml_type) == 4, \"enums are ints\");
static void of_types(struct ggml_backend_buffer_type_i * t, struct ggml_backend_buffer_i * b,
    struct ggml_backend_i * s, struct ggml_backend_device_i * d, struct ggml_backend_reg_i * r) {
    ggml_backend_buffer_t (*buffer_init)(ggml_backend_buffer_type_t, struct ggml_backend_buffer_i,
        void *, size_t) = ggml_backend_buffer_init;
    const char * (*op_name)(enum ggml_op) = ggml_op_name;
    const char * (*type_name)(enum ggml_type) = ggml_type_name;
    const char * (*version)(void) = ggml_version;
    void (*log_line)(enum ggml_log_level, const char *, ...) = ggml_log_internal;
    const char * (*p0)(ggml_backend_buffer_type_t) = t->get_name;
    ggml_backend_buffer_t (*p1)(ggml_backend_buffer_type_t, size_t) = t->alloc_buffer;
    size_t (*p2)(ggml_backend_buffer_type_t) = t->get_alignment;
    size_t (*p3)(ggml_backend_buffer_type_t) = t->get_max_size;
    bool (*p4)(ggml_backend_buffer_type_t) = t->is_host;
    void (*p5)(ggml_backend_buffer_t) = b->free_buffer;
    void * (*p6)(ggml_backend_buffer_t) = b->get_base;
    void (*p7)(ggml_backend_buffer_t, struct ggml_tensor *, uint8_t, size_t, size_t)
        = b->memset_tensor;
    void (*p8)(ggml_backend_buffer_t, struct ggml_tensor *, const void *, size_t, size_t)
        = b->set_tensor;
    void (*p9)(ggml_backend_buffer_t, const struct ggml_tensor *, void *, size_t, size_t)
        = b->get_tensor;
    void (*p10)(ggml_backend_buffer_t, struct ggml_tensor *, const void *, size_t, size_t, size_t,
        size_t, size_t) = b->set_tensor_2d;
    void (*p11)(ggml_backend_buffer_t, const struct ggml_tensor *, void *, size_t, size_t, size_t,
        size_t, size_t) = b->get_tensor_2d;
    void (*p12)(ggml_backend_buffer_t, uint8_t) = b->clear;
    const char * (*p13)(ggml_backend_t) = s->get_name;
    void (*p14)(ggml_backend_t) = s->free;
    enum ggml_status (*p15)(ggml_backend_t, struct ggml_cgraph *) = s->graph_compute;
    const char * (*p16)(ggml_backend_dev_t) = d->get_name;
    const char * (*p17)(ggml_backend_dev_t) = d->get_description;
    void (*p18)(ggml_backend_dev_t, size_t *, size_t *) = d->get_memory;
    enum ggml_backend_dev_type (*p19)(ggml_backend_dev_t) = d->get_type;
    void (*p20)(ggml_backend_dev_t, struct ggml_backend_dev_props *) = d->get_props;
    ggml_backend_t (*p21)(ggml_backend_dev_t, const char *) = d->init_backend;
    ggml_backend_buffer_type_t (*p22)(ggml_backend_dev_t) = d->get_buffer_type;
    bool (*p23)(ggml_backend_dev_t, const struct ggml_tensor *) = d->supports_op;
    bool (*p24)(ggml_backend_dev_t, ggml_backend_buffer_type_t) = d->supports_buft;
    const char * (*p25)(ggml_backend_reg_t) = r->get_name;
    size_t (*p26)(ggml_backend_reg_t) = r->get_device_count;
    ggml_backend_dev_t (*p27)(ggml_backend_reg_t, size_t) = r->get_device;
    void * (*p28)(ggml_backend_reg_t, const char *) = r->get_proc_address;
    void (*set_threads)(ggml_backend_t, int) = (ggml_backend_set_n_threads_t) 0;
    (void) buffer_init; (void) op_name; (void) type_name; (void) version; (void) log_line;
    (void) p0; (void) p1; (void) p2; (void) p3; (void) p4; (void) p5; (void) p6; (void) p7;
    (void) p8; (void) p9; (void) p10; (void) p11; (void) p12; (void) p13; (void) p14; (void) p15;
    (void) p16; (void) p17; (void) p18; (void) p19; (void) p20; (void) p21; (void) p22; (void) p23;
    (void) p24; (void) p25; (void) p26; (void) p27; (void) p28; (void) set_threads;
}
";

/// What C says to the questions.
fn answers(source: &Path, facts: &Facts) -> BTreeMap<String, usize> {
    let folder = env::temp_dir().join(format!("ggml-spanker-mirror-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (text, program) = (folder.join("facts.c"), folder.join("facts"));
    let lines: String = facts
        .0
        .iter()
        .map(|(question, _)| {
            format!("    printf(\"%s=%zu\\n\", \"{question}\", (size_t) ({question}));\n")
        })
        .collect();
    let c = format!(
        "#include <stddef.h>\n#include <stdio.h>\n#include \"ggml-backend-impl.h\"\n\
         #include \"ggml-impl.h\"\n{TYPES}\nint main(void) {{\n{lines}    return 0;\n}}\n"
    );
    fs::write(&text, c).expect("a file");
    let includes = ["include", "src"].map(|part| format!("-I{}", source.join(part).display()));
    // With optimisation functions that are only named need not be linked.
    let mut cc = Command::new("gcc");
    cc.args(["-std=c11", "-Wall", "-Werror", "-Wno-unused-function", "-O1"]);
    let status = cc.args(includes).arg(&text).arg("-o").arg(&program).status();
    assert!(status.expect("gcc").success(), "{} does not compile", text.display());
    let output = Command::new(&program).output().expect("the program runs");
    assert!(output.status.success(), "{:?}", output.status);
    fs::remove_dir_all(&folder).expect("the folder is ours");
    let said = String::from_utf8(output.stdout).expect("text");
    said.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(question, answer)| (question.to_owned(), answer.parse().expect("a number")))
        .collect()
}

#[test]
#[ignore = "SKIPPED: needs ggml's headers: run `cargo xtask test llama`"]
fn the_mirror_is_what_ggmls_headers_say() {
    let source = env::var_os(SOURCE).map(PathBuf::from);
    let source = source.unwrap_or_else(|| panic!("{SOURCE} is to be ggml's source"));
    let cmake = fs::read_to_string(source.join("CMakeLists.txt")).expect("ggml's CMakeLists.txt");
    for (part, number) in ["MAJOR", "MINOR", "PATCH"].iter().zip(VERSION.split('.')) {
        let line = format!("set(GGML_VERSION_{part} {number})");
        assert!(cmake.contains(&line), "{} is not of ggml {VERSION}", source.display());
    }
    let facts = facts();
    let answers = answers(&source, &facts);
    let wrong: Vec<String> = facts
        .0
        .iter()
        .filter(|(question, here)| answers.get(question) != Some(here))
        .map(|(question, here)| {
            format!("{question}: {:?} in C, {here} here", answers.get(question))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("{} facts of ggml {VERSION}", facts.0.len());
}
