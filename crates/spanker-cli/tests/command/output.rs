// SPDX-License-Identifier: Apache-2.0
//! Where results go, and what is left where they cannot.

use crate::model::{random_model, read_npy};
use crate::scene::{command, run, Ran, Scene};
use std::fs;
use std::os::unix::fs::{symlink, FileTypeExt, PermissionsExt};

struct Setting {
    scene: Scene,
    model: String,
}

impl Setting {
    fn new() -> Self {
        let scene = Scene::new();
        let model = scene.file("m.gguf", &random_model(3, 256));
        Self { scene, model }
    }

    fn write_to(&self, output: &str) -> Ran {
        run(&["matmul", "--weights", &self.model, "--tensor", "w", "--output", output])
    }
}

#[test]
fn a_file_is_replaced_and_keeps_its_permissions() {
    let setting = Setting::new();
    let y = setting.scene.file("y.npy", &[7; 5000]);
    fs::set_permissions(&y, fs::Permissions::from_mode(0o640)).unwrap();
    setting.write_to(&y).text();
    read_npy(&fs::read(&y).unwrap(), 1, 3);
    assert_eq!(fs::metadata(&y).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(setting.scene.names(), ["m.gguf", "y.npy"]);
}

#[test]
fn a_link_stays_and_what_it_points_to_is_replaced() {
    let setting = Setting::new();
    let y = setting.scene.file("y.npy", b"");
    let link = setting.scene.path("link.npy");
    symlink(&y, &link).unwrap();
    setting.write_to(&link).text();
    read_npy(&fs::read(&y).unwrap(), 1, 3);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_device_is_written_into_and_not_replaced() {
    Setting::new().write_to("/dev/null").text();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn a_full_disk_is_an_error_after_all() {
    let ran = Setting::new().write_to("/dev/full");
    ran.refused(6, &["cannot write /dev/full", "No space left"]);
}

#[test]
fn an_output_that_cannot_be_created_is_refused_before_anything_is_read() {
    let scene = Scene::new();
    let folder = scene.path("");
    let cases = [
        (scene.path("none/y.npy"), "No such file or directory"),
        (folder.clone(), "it is a folder"),
        (scene.path("y/"), "it is not the name of a file"),
        (scene.path(&"y".repeat(300)), "File name too long"),
        ("/proc/y.npy".to_owned(), ""),
    ];
    for (output, reason) in cases {
        let missing = scene.path("no-such-model.gguf");
        let ran = run(&["matmul", "--weights", &missing, "--tensor", "w", "--output", &output]);
        ran.refused(6, &["cannot write ", reason, "a folder that exists"]);
    }
    assert!(scene.names().is_empty());
}

#[test]
fn the_model_is_not_overwritten() {
    let setting = Setting::new();
    let link = setting.scene.path("link.gguf");
    symlink(&setting.model, &link).unwrap();
    for output in [&setting.model, &link] {
        let ran = setting.write_to(output);
        ran.refused(2, &["would replace the model", "choose another file"]);
    }
    assert_eq!(fs::read(&setting.model).unwrap(), random_model(3, 256));
}

#[test]
fn the_input_is_not_overwritten() {
    let setting = Setting::new();
    let input = setting.scene.path("x.npy");
    fs::write(&input, "anything").unwrap();
    let weights = &setting.model;
    let words = ["matmul", "--weights", weights, "--tensor", "w", "--input", &input];
    let ran = run(&[&words[..], &["--output", &input]].concat());
    ran.refused(2, &["would replace the input", "choose another file"]);
    assert_eq!(fs::read(&input).unwrap(), b"anything");
}

#[test]
fn nothing_is_left_when_the_work_fails() {
    let setting = Setting::new();
    let y = setting.scene.path("y.npy");
    let arguments = ["matmul", "--weights", &setting.model, "--tensor", "x", "--output", &y];
    run(&arguments).refused(3, &["no tensor"]);
    assert_eq!(setting.scene.names(), ["m.gguf"]);
}

/// What was printed there, and what was there before, would be gone.
#[test]
fn the_file_that_standard_output_goes_to_is_not_replaced() {
    let setting = Setting::new();
    let log = setting.scene.file("log", b"precious\n");
    for output in ["/dev/stdout", &log] {
        let arguments =
            ["matmul", "--weights", &setting.model, "--tensor", "w", "--output", output];
        let file = fs::File::options().append(true).open(&log).unwrap();
        let ran = command(&arguments).stdout(file).output().unwrap();
        assert_eq!(ran.status.code(), Some(6), "{ran:?}");
        let told = String::from_utf8(ran.stderr).unwrap();
        assert!(told.contains("prints to it already"), "{told}");
        assert_eq!(fs::read(&log).unwrap(), b"precious\n");
    }
}
