# Sourced by the scripts beside it: packages of another Debian suite, from the mirror this
# machine's apt already uses, without installing them and without touching apt's own state.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }
need_root() { [[ $(id -u) == 0 ]] || die "must run as root (try: sudo dev/${0##*/} ${ARGS:-})"; }

# install_missing PACKAGE:PROGRAM… - installs the packages whose program is not there.
install_missing() {
  local pair missing=()
  for pair in "$@"; do PATH=$PATH:/usr/sbin:/sbin command -v "${pair#*:}" >/dev/null || missing+=("${pair%%:*}"); done
  [[ ${#missing[@]} == 0 ]] && return
  need_root
  say "installing ${missing[*]}"
  apt-get -qq update || die "apt-get update did not work: apt needs a Debian mirror it can reach"
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# suite_open SUITE DIRECTORY - reads the suite's package lists into DIRECTORY; sets $apt for suite_*.
suite_open() {
  local suite=$1 dir=$2 uri
  uri=$( { grep -hoE '^URIs: *\S+' /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '{print $2}'
           sed -nE 's/^deb +(\[[^]]*\] +)?(\S+) .*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null
           true; } | grep -E '/debian/?$' | head -n 1 || true)
  [[ $uri ]] || die "no Debian mirror in apt's sources (/etc/apt/sources.list, /etc/apt/sources.list.d)"
  mkdir -p "$dir"/{lists/partial,cache/archives/partial}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" > "$dir/sources.list"
  : > "$dir/status"
  # With an empty status no package counts as installed, so that apt names the whole closure.
  apt=(apt-get -qq -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$dir/lists"
       -o "Dir::Cache=$dir/cache" -o "Dir::State::status=$dir/status" -o APT::Sandbox::User=root -o APT::Install-Recommends=false
       -o Acquire::Retries=3 -o APT::Update::Error-Mode=any -o Dpkg::Use-Pty=0)
  suite_archives=$dir/cache/archives
  "${apt[@]}" update || die "the lists of Debian's suite $suite cannot be read from the mirror that apt uses"
}

# suite_closure PACKAGE… - file names of the packages and all they depend on, as they lie in $suite_archives.
suite_closure() { "${apt[@]}" -s install "$@" | sed -nE 's/^Inst (\S+) \((\S+) .*\[(\S+)\]\).*/\1_\2_\3.deb/p' | sed 's/:/%3a/'; }

# suite_download PACKAGE… - puts the packages and all they depend on into $suite_archives.
suite_download() { "${apt[@]}" install -y --download-only "$@" >/dev/null; }
