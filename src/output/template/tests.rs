//! What templates make, as Docker Compose 5.5 was seen to make it.

use super::*;

fn row() -> Row {
    let publisher = |url: &str, port: i64, protocol: &str| {
        Value::Record(
            "api.PortPublisher",
            vec![
                ("URL", url.into()),
                ("TargetPort", port.into()),
                ("Protocol", protocol.into()),
            ],
        )
    };
    Row {
        kind: "*formatter.ContainerContext",
        fields: vec![
            ("ExitCode", 3i64.into()),
            ("Health", "".into()),
            ("Name", "shop-web-1".into()),
            (
                "Publishers",
                Value::List(vec![publisher("::", 80, "tcp"), publisher("", 81, "udp")]),
            ),
        ],
        labels: BTreeMap::from([("com.x.my-key".to_owned(), "v<1>".to_owned())]),
    }
}

#[test]
fn what_is_understood() {
    for (template, text) in [
        ("{{.Name}}", "shop-web-1"),
        ("a {{ .Name }}\tb", "a shop-web-1\tb"),
        ("x {{- .Name -}} y", "xshop-web-1y"),
        ("{{/* c */}}x{{- /* c */ -}} y", "xy"),
        ("{{.Label \"com.x.my-key\"}}|{{.Label `none`}}", "v<1>|"),
        ("{{.Label \"com.x.my-key\" | json}}", "\"v<1>\""),
        (
            "{{upper .Name}} {{.Name | upper | lower | title}}",
            "SHOP-WEB-1 Shop-Web-1",
        ),
        ("{{.Name | }}", "shop-web-1"),
        (
            "{{json .}}",
            "{\"ExitCode\":3,\"Health\":\"\",\"Name\":\"shop-web-1\",\"Publishers\":[{\"URL\":\"::\",\"TargetPort\":80,\"Protocol\":\"tcp\"},{\"URL\":\"\",\"TargetPort\":81,\"Protocol\":\"udp\"}]}",
        ),
        ("{{.Publishers}}", "[{:: 80 tcp} { 81 udp}]"),
        ("{{if .Health}}h{{else}}none{{end}}", "none"),
        ("{{if eq .ExitCode 3}}three{{end}}", "three"),
        (
            "{{if and .Name (ne .ExitCode 3)}}x{{else if .Name}}y{{end}}",
            "y",
        ),
        (
            "{{range .Publishers}}[{{.URL}} {{.TargetPort}} {{$.Name}}]{{end}}",
            "[:: 80 shop-web-1][ 81 shop-web-1]",
        ),
        (
            "{{range $i, $p := .Publishers}}{{$i}}:{{$p.TargetPort}} {{else}}none{{end}}",
            "0:80 1:81 ",
        ),
        (
            "{{range .Publishers}}{{if eq .Protocol \"udp\"}}{{continue}}{{end}}{{.URL}}{{break}}{{end}}",
            "::",
        ),
        (
            "{{with .Health}}a{{.}}{{else}}b{{.Name}}{{end}}",
            "bshop-web-1",
        ),
        (
            "{{with $x := .Name}}{{$x}}{{.}}{{end}}",
            "shop-web-1shop-web-1",
        ),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"),
        (
            "{{len .Publishers}} {{index (split .Name \"-\") 1}} {{(index .Publishers 0).URL}}",
            "2 web ::",
        ),
        (
            "{{join (split .Name \"-\") \"/\"}} {{truncate .Name 4}}",
            "shop/web/1 shop",
        ),
        (
            "{{slice .Name 2 5}} {{slice .Name 8}} {{index .Name 0}}",
            "op- -1 115",
        ),
        ("{{pad .Name 1 2}}|{{pad .Health 1 2}}|", " shop-web-1  ||"),
        (
            "{{print .Name .ExitCode .ExitCode}} {{println .Name 1}}",
            "shop-web-13 3 shop-web-1 1\n",
        ),
        (
            "{{not .Name}} {{or .Health .Name \"z\"}} {{and .Health .Name}} {{lt 1 2}} {{ge \"b\" \"a\"}} {{le 1.5 2.5}}",
            "false shop-web-1  true true true",
        ),
        ("{{eq .Name \"a\" \"shop-web-1\"}}", "true"),
        (
            "{{\"a\\tb\\x41\\u00e9\\\"\"}}{{`raw \"x\"`}} {{'a'}} {{0x10}} {{1_000}} {{true}}",
            "a\tbAé\"raw \"x\" 97 16 1000 true",
        ),
    ] {
        let filled = Template::parse(template).and_then(|t| t.fill(&row()));
        assert_eq!(filled.as_deref(), Ok(text), "{template}");
    }
}

#[test]
fn verbs_are_go_s() {
    for (template, text) in [
        (
            "{{printf \"%s=%d %q\" .Name .ExitCode .Name}}",
            "shop-web-1=3 \"shop-web-1\"",
        ),
        (
            "{{printf \"%5d|%-5d|%05d|%x|%T\" .ExitCode .ExitCode .ExitCode \"ab\" .Name}}",
            "    3|3    |00003|6162|string",
        ),
        (
            "{{printf \"%d\" .Name}} {{printf \"%s\"}} {{printf \"%s\" 1}}",
            "%!d(string=shop-web-1) %!s(MISSING) %!s(int=1)",
        ),
        (
            "{{printf \"%s\" .Name 1}} {{printf \"100%%\"}} {{printf \"%\"}}",
            "shop-web-1%!(EXTRA int=1) 100% %!(NOVERB)",
        ),
        (
            "{{printf \"%z %5s|%-8s|%.3s|%+d|%t|%c|%U|%08.3f|%e|%v\" .Name \"ab\" \"ab\" \"abcdef\" 5 true 65 65 3.14159 3.14159 1.5}}",
            "%!z(string=shop-web-1)    ab|ab      |abc|+5|true|A|U+0041|0003.142|3.141590e+00|1.5",
        ),
    ] {
        let filled = Template::parse(template).and_then(|t| t.fill(&row()));
        assert_eq!(filled.as_deref(), Ok(text), "{template}");
    }
}

#[test]
fn heads_stand_for_fields() {
    let heads = [("Name", "NAME"), ("Image", "IMAGE")];
    for (template, text) in [
        (
            "{{upper .Name}}\t{{.Label \"com.x.my-key\"}}\t{{.ExitCode}}",
            "NAME\tmy key\t<no value>",
        ),
        (
            "{{pad .Name 2 1}}|{{truncate .Image 3}}|{{len .Name}}",
            "  NAME |IMAGE|4",
        ),
        ("{{if eq .ExitCode 0}}x{{end}}\t{{.Name}}", "\tNAME"),
        ("{{range .Publishers}}{{.URL}},{{end}}\t{{.Name}}", "\tNAME"),
        // What is no text ends the heads.
        ("{{.Name}}\t{{json .}}\t{{.Image}}", "NAME\t"),
    ] {
        assert_eq!(
            Template::parse(template).unwrap().heads(&heads),
            text,
            "{template}"
        );
    }
}

/// Each with the whole message behind `template parsing error: `.
#[test]
fn what_is_not_is_said_with_its_place() {
    for (template, why) in [
        ("{{.Name", "template: :1: unclosed action"),
        (
            "a\nb{{.Nam}}",
            "template: :2:3: executing \"\" at <.Nam>: can't evaluate field Nam in type *formatter.ContainerContext",
        ),
        (
            "{{.Name.X}}",
            "template: :1:7: executing \"\" at <.Name.X>: can't evaluate field X in type string",
        ),
        (
            "{{frob .Name}}",
            "template: :1: function \"frob\" not defined",
        ),
        (
            "{{html .Name}}",
            "template: :1: function \"html\" not defined",
        ),
        (
            "{{if .Name}}x",
            "template: :1: unexpected EOF: {{end}} is missing",
        ),
        ("{{end}}", "template: :1: unexpected {{end}}"),
        ("{{else}}", "template: :1: unexpected {{else}}"),
        (
            "{{if .Name}}a{{else}}b{{else}}c{{end}}",
            "template: :1: expected end; found {{else}}",
        ),
        ("{{break}}", "template: :1: {{break}} outside {{range}}"),
        ("{{\"a}}", "template: :1: unterminated quoted string"),
        ("{{}}", "template: :1: missing value for command"),
        ("{{if}}x{{end}}", "template: :1: missing value for if"),
        ("{{(.Name}}", "template: :1: unclosed left paren"),
        ("{{.Name)}}", "template: :1: unexpected right paren"),
        ("{{$y}}", "template: :1: undefined variable \"$y\""),
        (
            "{{.Name | 1}}",
            "template: :1: non executable command in pipeline stage 2",
        ),
        (
            "{{nil}}",
            "template: :1:2: executing \"\" at <nil>: nil is not a command",
        ),
        (
            "{{1 .Name}}",
            "template: :1:2: executing \"\" at <1>: can't give argument to non-function 1",
        ),
        (
            "{{.Name .Name}}",
            "template: :1:2: executing \"\" at <.Name>: wrong number of args for Name: want 0 got 1",
        ),
        (
            "{{json .Label}}",
            "template: :1:7: executing \"\" at <.Label>: wrong number of args for Label: want 1 got 0",
        ),
        (
            "{{.Label 1}}",
            "template: :1:9: executing \"\" at <1>: expected string; found 1",
        ),
        (
            "{{upper}}",
            "template: :1:2: executing \"\" at <upper>: wrong number of args for upper: want 1 got 0",
        ),
        (
            "{{upper .ExitCode}}",
            "template: :1:8: executing \"\" at <.ExitCode>: wrong type for value; expected string; got int",
        ),
        (
            "{{truncate .Name \"a\"}}",
            "template: :1:17: executing \"\" at <\"a\">: expected integer; found \"a\"",
        ),
        (
            "{{index .Publishers 77}}",
            "template: :1:2: executing \"\" at <index .Publishers 77>: error calling index: index out of range: 77",
        ),
        (
            "{{join .Name \"a\"}}",
            "template: :1:2: executing \"\" at <join .Name \"a\">: error calling join: expected slice, got string",
        ),
        (
            "{{lt .Name 1}}",
            "template: :1:2: executing \"\" at <lt .Name 1>: error calling lt: incompatible types for comparison: string and int",
        ),
        (
            "{{range .Name}}x{{end}}",
            "template: :1:8: executing \"\" at <.Name>: range can't iterate over shop-web-1",
        ),
        (
            "{{slice .Name 5 2}}",
            "template: :1:2: executing \"\" at <slice .Name 5 2>: error calling slice: invalid slice index: 5 > 2",
        ),
        ("{{.Name#}}", "template: :1: bad character U+0023 '#'"),
        (
            "{{template \"x\"}}",
            "template: :1: {{template}} is not supported: a format is one template",
        ),
    ] {
        let error = Template::parse(template)
            .and_then(|t| t.fill(&row()))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("template parsing error: {why}"),
            "{template}"
        );
    }
}

#[test]
fn a_deep_template_is_refused() {
    for (open, close) in [("(", ")"), ("{{if 1}}", "{{end}}")] {
        let inside = format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
        let template = match open {
            "(" => format!("{{{{{inside}}}}}"),
            _ => inside,
        };
        let error = Template::parse(&template).unwrap_err();
        assert!(error.to_string().contains("max expression depth exceeded"));
    }
}
