// SPDX-License-Identifier: Apache-2.0
//! What has no value: its tokens are the fact.

use crate::scene::{constants, facts, texts};

#[test]
fn macros_that_are_no_expression_are_texts_and_spoil_no_other() {
    let facts = facts(
        "#define A 1\n#define OPEN {\n#define CLOSE }\n#define END ;\n#define NOTHING\n\
         #define HALF (\n#define REST )\n#define KEYWORD inline\n#define TYPE unsigned int\n\
         #define ATTRIBUTE __attribute__((packed))\n#define STAR *\n#define RETURN return 1;\n\
         #define UNKNOWN not_declared\n#define COMMA ,\n#define HASH #\n#define Z 26",
    );
    assert_eq!(constants(&facts), ["A 1 s32", "Z 26 s32"]);
    assert_eq!(
        texts(&facts),
        [
            "ATTRIBUTE macro: __attribute__ ( ( packed ) )",
            "CLOSE macro: }",
            "COMMA macro: ,",
            "END macro: ;",
            "HALF macro: (",
            "HASH macro: #",
            "KEYWORD macro: inline",
            "NOTHING macro: ",
            "OPEN macro: {",
            "REST macro: )",
            "RETURN macro: return 1 ;",
            "STAR macro: *",
            "TYPE macro: unsigned int",
            "UNKNOWN macro: not_declared",
        ]
    );
}

#[test]
fn a_macro_is_no_expression_if_one_that_it_uses_is_none() {
    let facts = facts("#define OPEN {\n#define BOTH OPEN 1\n#define A 1\n#define B A OPEN");
    assert_eq!(constants(&facts), ["A 1 s32"]);
    assert_eq!(texts(&facts), ["B macro: A OPEN", "BOTH macro: OPEN 1", "OPEN macro: {"]);
}

#[test]
fn a_macro_that_uses_one_with_a_statement_spoils_no_other() {
    let facts = facts(
        "#define DO(x) do { x; } while (0)\n#define RUN DO(1)\n#define A 1\n\
         #define LOOP LOOP\n#define PING PONG\n#define PONG PING",
    );
    assert_eq!(constants(&facts), ["A 1 s32"]);
    assert!(texts(&facts).contains(&"RUN macro: DO ( 1 )".to_owned()));
    assert!(texts(&facts).contains(&"LOOP macro: LOOP".to_owned()));
}

#[test]
fn macros_with_parameters_are_texts() {
    let facts = facts(
        "#define A(x) ((x) + 1)\n#define B(x, ...) f(x, __VA_ARGS__)\n#define C() 1\n#define D (x)",
    );
    assert_eq!(
        texts(&facts),
        [
            "A macro with parameters: ( x ) ( ( x ) + 1 )",
            "B macro with parameters: ( x , ... ) f ( x , __VA_ARGS__ )",
            "C macro with parameters: ( ) 1",
            "D macro: ( x )",
        ]
    );
}

#[test]
fn comments_and_spaces_are_no_part_of_a_text() {
    let one = facts("#define A(x) ((x)+1) /* one more */\nstatic inline int f(void){return 1;}");
    let other = facts(
        "#define A( x ) ( ( x ) \\\n  + 1 )\nstatic inline int f(void)\n{\n\t// one\n\treturn 1;\n}",
    );
    assert_eq!(one, other);
}

#[test]
fn a_function_is_a_text() {
    let facts = facts("static inline int f(int a) { return a; }\nint g(void);");
    assert_eq!(
        texts(&facts),
        ["f function: static inline int f ( int a ) { return a ; }", "g function: int g ( void )"]
    );
}
