import { ABSENT, REFUSED } from './told.js';
import { probedFunctions, type KernelTypes, type ProbedFunction } from './functions.js';

/** A kernel whose probes are wanted: `auto` looks at the host that the script runs on; else a release or a profile (`6.1`, `5.18-rc3-packv2`). */
export type ProbedKernel = string;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** `probe NAME FILTER WHEN ARGS RET` for each form: the first that fits and that the kernel takes is used. */
const linesOf = ({ name, filter, forms }: ProbedFunction): readonly string[] =>
  forms.map(
    ({ when, args, ret }) =>
      `probe ${name} ${quoted(filter)} ${quoted(when)} ${quoted(args)} ${quoted(ret ?? 'none')}`,
  );

const HEAD = String.raw`#!/bin/sh
# Records what this kernel does to the memory it executes BPF programs from, with kprobes, for pagetrail.
# Needs root, tracefs with kprobe events, and the usual commands of a POSIX system; nothing is installed, everything is put back.
#
#   sh record.sh [-o FOLDER] [-b KIB] [-k KERNEL] [COMMAND [ARGUMENT ...]]
#
#   -o FOLDER  where to write (default: pagetrail-DATE); it must not exist
#   -b KIB     ring buffer per CPU in KiB (default 16384); what does not fit is overwritten, oldest first, and counted
#   -k KERNEL  take this for the kernel's version instead of asking it
#   COMMAND    record while it runs; without one, until Ctrl-C
#
# Afterwards, anywhere: pagetrail import FOLDER
set -u
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
umask 077
`;

const BODY = String.raw`
folder=pagetrail-$(date +%Y%m%d-%H%M%S)
buffer=16384
follow=
while getopts o:b:k:fh option; do
  case $option in
    # For pagetrail record: says where trace_pipe is and reads lines from standard input. No folder is written.
    f) follow=1 ;;
    o) folder=$OPTARG ;;
    b) buffer=$OPTARG ;;
    k) kernel=$OPTARG ;;
    *) sed -n '2,/^set -u/{/^#/s/^# \{0,1\}//p;}' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))

say() { printf '%s\n' "$*" >&2; }
die() { say "record: $*"; exit 2; }

case $buffer in '' | *[!0-9]*) die "-b $buffer: give a number of KiB" ;; esac
[ "$(id -u)" = 0 ] || die "run this as root: it sets kprobes"
[ -n "$follow" ] || [ ! -e "$folder" ] || die "$folder exists: name another folder with -o"

instance=
mounted=
work=$(mktemp -d) || die "no temporary folder can be made"
[ -z "$follow" ] || folder=$work/capture
kptr=

# Puts everything back. Runs once, whatever ends the script.
restore() {
  trap - EXIT
  if [ -n "$instance" ] && [ -d "$instance" ]; then
    echo 0 > "$instance/tracing_on"
    echo 0 > "$instance/events/pagetrail/enable"
    rmdir "$instance"
  fi
  if [ -s "$work/set" ]; then
    while read -r event; do echo "-:pagetrail/$event" >> "$tracefs/kprobe_events"; done < "$work/set"
  fi
  [ -z "$kptr" ] || echo "$kptr" > "$PROC/sys/kernel/kptr_restrict"
  [ -z "$mounted" ] || umount "$mounted"
  rm -rf "$work"
} 2>/dev/null
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'exit 141' PIPE

# Where tracefs is.
tracefs=
for at in "$TRACEFS" /sys/kernel/tracing /sys/kernel/debug/tracing; do
  if [ -n "$at" ] && [ -e "$at/trace" ]; then tracefs=$at; break; fi
done
if [ -z "$tracefs" ] && mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; then
  tracefs=/sys/kernel/tracing
  mounted=$tracefs
fi
[ -n "$tracefs" ] || die "there is no tracefs: this kernel has no tracing, or it must be mounted (mount -t tracefs tracefs /sys/kernel/tracing)"
[ -e "$tracefs/kprobe_events" ] || die "this kernel has no kprobe events (CONFIG_KPROBE_EVENTS)"
if grep -q pagetrail/ "$tracefs/kprobe_events" 2>/dev/null; then
  die "probes of another recording are set. If none is running, remove them: for p in \$(sed -n 's/^[pr][0-9]*:\(pagetrail[^ ]*\).*/\1/p' $tracefs/kprobe_events); do echo \"-:\$p\" >> $tracefs/kprobe_events; done"
fi

machine=$(uname -m)
[ "$machine" != aarch64 ] || machine=arm64
release=$(uname -r)
[ "$kernel" != auto ] || kernel=$release
# 6.12.101+deb13 is 6012101, 6.1 is 6001000.
number() {
  printf '%s\n' "$1" | sed -n 's/^\([0-9]\{1,3\}\)\.\([0-9]\{1,3\}\)\.\([0-9]\{1,3\}\).*/\1 \2 \3/p; t
    s/^\([0-9]\{1,3\}\)\.\([0-9]\{1,3\}\).*/\1 \2 0/p' |
    { read -r major minor patch && echo $((major * 1000000 + minor * 1000 + patch)); }
}
version=$(number "$kernel")
[ -n "$version" ] || die "$kernel is no kernel version: give one with -k, such as -k 6.1"

own=$tracefs/instances/pagetrail
mkdir "$own" 2>/dev/null || die "$own cannot be made: another recording is running, or left it behind (rmdir $own)"
instance=$own

# Memory for the buffers: at most an eighth of what is free.
cpus=$(grep -c '^processor' "$PROC/cpuinfo" 2>/dev/null)
[ -n "$cpus" ] && [ "$cpus" -gt 0 ] || cpus=1
free=$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' "$PROC/meminfo")
if [ -n "$free" ] && [ $((buffer * cpus)) -gt $((free / 8)) ]; then
  buffer=$((free / 8 / cpus))
  say "record: the buffer is limited to $buffer KiB per CPU, an eighth of the free memory"
fi
[ "$buffer" -gt 64 ] || buffer=64
echo "$buffer" > "$instance/buffer_size_kb" || die "no memory for a buffer of $buffer KiB per CPU: give a smaller one with -b"
echo mono > "$instance/trace_clock" || die "this kernel has no clock mono for tracing"

# Names of functions, once: what ftrace knows, else the symbols.
awk '{ print $1 }' "$tracefs/available_filter_functions" > "$work/functions" 2>/dev/null
awk '$2 ~ /^[tTwW]$/ && NF == 3 { print $3 }' "$PROC/kallsyms" >> "$work/functions" 2>/dev/null
[ -s "$work/functions" ] || die "neither available_filter_functions nor /proc/kallsyms can be read"
sort -u "$work/functions" -o "$work/functions"

: > "$work/set"
: > "$work/done"
: > "$work/absent"
: > "$work/failed"
: > "$work/meta"
: > "$work/missed"

# The symbol to probe: where the compiler has cut a function in two, the part that does the work.
symbol_of() {
  for candidate in "$1.part.0" "$1"; do
    if grep -q -x -F -e "$candidate" "$work/functions"; then echo "$candidate"; return 0; fi
  done
  return 1
}

# @1, @2, ... as registers and places on the stack at the entry of a function.
registers() {
  case $machine in
    x86_64)
      sed 's/@1/%di/g; s/@2/%si/g; s/@3/%dx/g; s/@4/%cx/g; s/@5/%r8/g; s/@6/%r9/g; s/@7/$stack1/g; s/@8/$stack2/g; s/@9/$stack3/g' ;;
    arm64)
      sed 's/@1/%x0/g; s/@2/%x1/g; s/@3/%x2/g; s/@4/%x3/g; s/@5/%x4/g; s/@6/%x5/g; s/@7/%x6/g; s/@8/%x7/g; s/@9/$stack0/g' ;;
    *) sed 's/@\([0-9]\)/$arg\1/g' ;;
  esac
}

# Whether a form is for this kernel.
fits() {
  case $1 in
    '') return 0 ;;
    btf) [ "$version" -ge 6006000 ] && [ -e "$BTF" ] ;;
    packv2) case $kernel in *packv2*) return 0 ;; *) return 1 ;; esac ;;
    *-) [ "$version" -ge "$(number "$1")" ] ;;
    *-*)
      to=$(number "$(printf '%s\n' "$1" | sed 's/^[^-]*-//')")
      [ "$version" -ge "$(number "$1")" ] && [ "$version" -le $((to + 999)) ] ;;
    *) from=$(number "$1"); [ "$version" -ge "$from" ] && [ "$version" -le $((from + 999)) ] ;;
  esac
}

# Lines that are not in the file $1, which may be empty.
without() { while read -r line; do grep -q -x -F -e "$line" "$1" || echo "$line"; done; }

# Adds one kprobe event. $1: p or r, $2: event, $3: symbol, $4: arguments.
set_probe() {
  echo "$1:pagetrail/$2 $3 $4" >> "$tracefs/kprobe_events" 2>/dev/null || return 1
  echo "$2" >> "$work/set"
}

unset_probe() {
  echo "-:pagetrail/$1" >> "$tracefs/kprobe_events" 2>/dev/null
  grep -v -x -F -e "$1" "$work/set" > "$work/set.new"
  mv "$work/set.new" "$work/set"
}

# What meta.json says of a probe: its arguments as {"name", "fetch", "type", "meaning"}.
json_args() {
  printf '%s\n' "$1" | awk '{
    for (i = 1; i <= NF; i++) {
      name = $i; sub(/=.*/, "", name)
      fetch = $i; sub(/^[^=]*=/, "", fetch)
      type = fetch; sub(/.*:/, "", type); sub(/:[^:]*$/, "", fetch)
      printf "%s{\"name\":\"%s\",\"fetch\":\"%s\",\"type\":\"%s\",\"meaning\":\"\"}", i > 1 ? "," : "", name, fetch, type
    }
  }'
}

# Lines as texts of JSON.
json_texts() { sed 's/.*/"&"/' | paste -s -d , -; }

# The part of the address space that code lies in, for functions that everybody calls.
code_filter() {
  case $machine in
    x86_64) echo "$1 >= 0xffffffffa0000000 && $1 < 0xffffffffff000000" ;;
    arm64) echo "$1 >= 0xffff800000000000 && $1 < 0xfffffbfffe000000" ;;
  esac
}

# probe NAME FILTER WHEN ARGUMENTS RESULT: one form of a function; the first that works is kept.
probe() {
  if grep -q -x -F -e "$1" "$work/done"; then return 0; fi
  fits "$3" || return 0
  if ! symbol=$(symbol_of "$1"); then
    grep -q -x -F -e "$1" "$work/absent" || echo "$1" >> "$work/absent"
    return 0
  fi
  arguments=$(printf '%s\n' "$4" | registers)
  if ! set_probe p "$1" "$symbol" "$arguments"; then
    [ "$3" = btf ] || grep -q -x -F -e "$1" "$work/failed" || echo "$1" >> "$work/failed"
    return 0
  fi
  result=$5
  if [ "$result" != none ] && ! set_probe r "$1_ret" "$symbol" "$result"; then
    if [ "$3" = btf ] || ! set_probe r "$1_ret" "$symbol" ''; then
      unset_probe "$1"
      [ "$3" = btf ] || grep -q -x -F -e "$1" "$work/failed" || echo "$1" >> "$work/failed"
      return 0
    fi
    result=
  fi
  only=
  if [ -n "$2" ]; then
    only=$(code_filter "$2")
    if [ -n "$only" ]; then
      echo "$only" > "$instance/events/pagetrail/$1/filter"
      case $result in ret=*) code_filter ret > "$instance/events/pagetrail/$1""_ret/filter" ;; esac
    fi
  fi
  [ "$result" != none ] || result=
  [ ! -s "$work/meta" ] || echo , >> "$work/meta"
  printf '{"event":"%s","symbol":"%s","args":[%s],"ret":[%s]' \
    "$1" "$symbol" "$(json_args "$arguments")" "$(json_args "$result")" >> "$work/meta"
  [ -z "$only" ] || printf ',"filter":"%s"' "$only" >> "$work/meta"
  printf '}' >> "$work/meta"
  echo "$1" >> "$work/done"
}

`;

const TAIL = String.raw`
sort -u "$work/done" > "$work/have"
probed=$(grep -c . "$work/done")
[ "$probed" -gt 0 ] || die "none of the functions could be probed on $release ($machine)"
without "$work/have" < "$work/failed" > "$work/refused"
without "$work/have" < "$work/absent" | without "$work/refused" > "$work/not_there"
# For the markers: a few hundred characters at a time.
awk '{ line = line " " $0; if (length(line) > 400) { print "probed" line; line = "" } } END { if (line != "") print "probed" line }' "$work/have" > "$work/told"
sed "s/.*/probe &: $absent_why/" "$work/not_there" >> "$work/told"
sed "s/.*/probe &: $refused_why/" "$work/refused" >> "$work/told"

mkdir -p "$folder" || die "$folder cannot be made"

# Addresses in /proc/vmallocinfo are real for root only while kptr_restrict is 1.
if [ "$(cat "$PROC/sys/kernel/kptr_restrict" 2>/dev/null)" = 0 ]; then
  if echo 1 > "$PROC/sys/kernel/kptr_restrict" 2>/dev/null; then kptr=0; fi
fi

# Areas in which code lies, of /proc/vmallocinfo.
code_areas() {
  case $machine in
    x86_64) awk '$1 >= "0xffffffffa0000000" && $1 < "0xffffffffff000000"' ;;
    arm64) awk '$1 >= "0xffff800000000000" && $1 < "0xfffffbfffe000000"' ;;
    *) cat ;;
  esac
}

# What the kernel says of executable memory, into the folder $1.
dump() {
  mkdir -p "$1"
  code_areas < "$PROC/vmallocinfo" > "$1/vmallocinfo.txt"
  awk '$4 == "[bpf]" || $4 == "[__builtin__ftrace]" || $4 == "[__builtin__kprobes]"' "$PROC/kallsyms" > "$1/kallsyms.txt"
  grep '^direct_map' "$PROC/vmstat" > "$1/vmstat.txt"
  cat "$PROC/sys/net/core/bpf_jit_limit" > "$1/bpf_jit_limit.txt"
  [ ! -e "$DEBUGFS/page_tables/kernel" ] || cat "$DEBUGFS/page_tables/kernel" > "$1/page_tables.txt"
} 2>/dev/null

# Whether two dumps say the same of areas and symbols.
same() { cmp -s "$1/vmallocinfo.txt" "$2/vmallocinfo.txt" && cmp -s "$1/kallsyms.txt" "$2/kallsyms.txt"; }

text() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | tr -d '\000-\037'; }

mark() { printf '%s' "$1" > "$instance/trace_marker"; }
mark_probes() { while read -r line; do mark "pagetrail: $line"; done < "$work/told"; }

echo 0 > "$instance/tracing_on"
echo 1 > "$instance/events/pagetrail/enable" || die "the probes cannot be switched on"
# The dump is of the moment at which recording begins when nothing changed while it was read: looked at again once the recording runs.
first=$folder/phases/00-start
for try in 1 2 3 4 5; do
  dump "$first"
  : > "$instance/trace"
  echo 1 > "$instance/tracing_on"
  mark_probes
  mark 'phase: start'
  dump "$work/again"
  if same "$first" "$work/again"; then break; fi
  if [ "$try" = 5 ]; then
    mv "$first" "$folder/before"
    rmdir "$folder/phases"
    first=
    say "record: executable memory does not stand still: the recording starts without a dump$([ -n "$follow" ] || echo " (what it was like is in $folder/before)")"
    break
  fi
  echo 0 > "$instance/tracing_on"
done

say "record: $probed functions of $release ($machine) are probed"
if [ -s "$work/refused" ]; then say "record: could not be probed, and is missing from the recording: $(tr '\n' ' ' < "$work/refused")"; fi
case " $(tr '\n' ' ' < "$work/have")" in
  *' bpf_int_jit_compile '*) ;;
  *) say "record: bpf_int_jit_compile is not probed: loads of programs cannot be followed" ;;
esac
if ! grep -q '"name":"bpf_func"' "$work/meta"; then
  say "record: struct bpf_prog of this kernel is not known: entry, length, id of programs are missing (symbols are recorded)"
fi

stopped=
trap 'stopped=1' INT TERM HUP
status=0
if [ -n "$follow" ]; then
  # PIPE: who reads may be gone, and the probes are still to be taken away.
  trap '' INT TERM HUP PIPE
  printf 'ready\n%s\n%s\n%s\n%s\n' "$instance" "$first" "$release" "$machine"
  # Until a line comes, or nobody is there any more.
  read -r reply
elif [ $# -gt 0 ]; then
  "$@"
  status=$?
else
  say "record: recording until Ctrl-C"
  while [ -z "$stopped" ]; do
    sleep 1 &
    wait $!
  done
fi
trap '' INT TERM HUP PIPE

mark 'phase: end'
# Calls that a probe missed leave no line: the recording says how many.
awk '$NF ~ /^[0-9]+$/ && $NF > 0 { print $1, $NF }' "$tracefs/kprobe_profile" 2>/dev/null > "$work/all_missed"
while read -r event count; do
  if grep -q -x -F -e "$event" "$work/set"; then
    echo "$event" >> "$work/missed"
    mark "pagetrail: missed $event $count"
  fi
done < "$work/all_missed"
# What was marked at the beginning may have been overwritten since.
stats() { cat "$instance"/per_cpu/cpu*/stats 2>/dev/null | awk -F: -v name="$1" '$1 == name { n += $2 } END { print n + 0 }'; }
overrun=$(stats overrun)
[ "$overrun" = 0 ] || mark_probes
echo 0 > "$instance/tracing_on"
if [ -n "$follow" ]; then
  # What is left in the buffer is read by the other side, before the instance is removed.
  printf 'stopped\n%s\n%s\n' "$overrun" "$(stats 'dropped events')"
  read -r reply
  exit 0
fi
cat "$instance/trace" > "$folder/trace.txt.part" || die "the trace cannot be written to $folder"
mv "$folder/trace.txt.part" "$folder/trace.txt"
dump "$folder/after"
cp "$tracefs/kprobe_profile" "$folder/kprobe_profile.txt" 2>/dev/null
lost=$(sed -n 's/^# entries-in-buffer\/entries-written: \([0-9]*\)\/\([0-9]*\).*/\1 \2/p' "$folder/trace.txt" |
  { read -r kept written && echo $((written - kept)); })
[ -n "$lost" ] || lost=0
complete=true
if [ "$lost" != 0 ] || [ -s "$work/missed" ]; then complete=false; fi

page=$(getconf PAGE_SIZE 2>/dev/null)
[ -n "$page" ] || page=4096
memory=$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' "$PROC/meminfo")
[ -n "$memory" ] || memory=0
cpu=$(sed -n 's/^model name[^:]*: *//p' "$PROC/cpuinfo" | head -n 1)
{
  printf '{\n"arch":"%s",\n"release":"%s",\n' "$machine" "$(text "$release")"
  printf '"version":"%s",\n"cmdline":"%s",\n' "$(text "$(cat "$PROC/version")")" "$(text "$(cat "$PROC/cmdline")")"
  printf '"scenario":"host",\n"machine":{"cpu":"%s","smp":%s,"ram_mb":%s,"page_size":%s},\n' \
    "$(text "$cpu")" "$cpus" "$((memory / 1024))" "$page"
  start=
  [ -z "$first" ] || start='{"phase":0,"t_ns":0,"name":"start"}'
  printf '"trace_clock":"mono",\n"complete":%s,\n"operations":[%s],\n"probes":[\n' "$complete" "$start"
  cat "$work/meta"
  printf '\n],\n"absent":[%s],\n"probes_failed":[%s]\n}\n' "$(json_texts < "$work/not_there")" "$(json_texts < "$work/refused")"
} > "$folder/meta.json"

say "record: $(grep -c -v '^#' "$folder/trace.txt") lines in $folder/trace.txt"
[ "$lost" = 0 ] || say "record: $lost events did not fit into the buffer: give a larger one with -b, or record a shorter time"
[ ! -s "$work/missed" ] || say "record: probes missed calls of: $(tr '\n' ' ' < "$work/missed")"
if grep '^[^#].*bpf_int_jit_compile_ret: ' "$folder/trace.txt" | grep 'bpf_func=0x' |
  grep -v -q 'bpf_func=0x[0f]'; then
  say "record: struct bpf_prog is laid out otherwise in this kernel: do not trust entry and length of programs"
fi
say "record: next: pagetrail import $folder"
exit "$status"
`;

/** The POSIX shell script that records on a host without Node. `types`: what the BTF of that kernel says; null: known layouts, by version. */
export const recordingScript = (kernel: ProbedKernel = 'auto', types: KernelTypes | null = null): string =>
  [
    HEAD,
    `kernel=${quoted(kernel)}\n# Elsewhere in tests only.
TRACEFS=\${TRACEFS-}
PROC=\${PROC-/proc}
# Why a function is not probed.
absent_why=${quoted(ABSENT)}
refused_why=${quoted(REFUSED)}
BTF=\${BTF-/sys/kernel/btf/vmlinux}
DEBUGFS=\${DEBUGFS-/sys/kernel/debug}
`,
    BODY,
    probedFunctions(types).flatMap(linesOf).join('\n'),
    '\n',
    TAIL,
  ].join('');
