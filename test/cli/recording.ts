/**
 * A small recording, as 6.1 prints it: one program is loaded into a pack that was there before, and freed again. Lines are those of a real recording
 * (x86_64-6.1-S1-pack-basic), the first program alone.
 */
const BODY = `
        workload-85      [000] .....     6.817776: tracing_mark_write: phase: start
        workload-85      [000] .....     7.317602: tracing_mark_write: op 1: load slot=0 type=socket_filter insns=16 subprogs=0
        workload-85      [000] .....     7.341731: bpf_int_jit_compile: (bpf_int_jit_compile+0x0/0x500) prog=0xffffc90000045000 insns=16 jited_len=0 bpf_func=0xffffffff811f6230 id=0 func_idx=0 func_cnt=0
        workload-85      [000] .....     7.341952: bpf_jit_blind_constants: (bpf_jit_blind_constants+0x0/0x650) prog=0xffffc90000045000
        workload-85      [000] .....     7.341985: bpf_jit_blind_constants_ret: (bpf_int_jit_compile+0x90/0x500 <- bpf_jit_blind_constants) ret=0xffffc90000045000
        workload-85      [000] .....     7.342503: bpf_jit_binary_pack_alloc: (bpf_jit_binary_pack_alloc+0x0/0x150) proglen=88 image_ptr=0xffffc900003e3bc0 alignment=4 rw_header=0xffffc900003e3bb0 rw_image=0xffffc900003e3bb8 bpf_fill_ill_insns=0xffffffff8108be90
        workload-85      [000] .....     7.342552: bpf_jit_charge_modmem: (bpf_jit_charge_modmem+0x0/0x60) size=128
        workload-85      [000] .....     7.342574: bpf_jit_charge_modmem_ret: (bpf_jit_binary_pack_alloc+0x5d/0x150 <- bpf_jit_charge_modmem) ret=0
        workload-85      [000] .....     7.342590: bpf_prog_pack_alloc: (bpf_prog_pack_alloc+0x0/0x2d0) size=128 bpf_fill_ill_insns=0xffffffff8108be90
        workload-85      [000] .....     7.345268: bpf_prog_pack_alloc_ret: (bpf_jit_binary_pack_alloc+0x71/0x150 <- bpf_prog_pack_alloc) ret=0xffffffffc0000640
        workload-85      [000] .....     7.345305: bpf_jit_binary_pack_alloc_ret: (bpf_int_jit_compile+0x1c2/0x500 <- bpf_jit_binary_pack_alloc) ret=0xffffffffc0000640
        workload-85      [000] .....     7.345359: bpf_jit_binary_pack_finalize: (bpf_jit_binary_pack_finalize+0x0/0x50) prog=0xffffc90000045000 ro_header=0xffffffffc0000640 rw_header=0xffff888009d37880 ro_header_size=3435973836 rw_header_size=128
        workload-85      [000] .....     7.345396: bpf_arch_text_copy: (bpf_arch_text_copy+0x0/0x30) dst=0xffffffffc0000640 src=0xffff888009d37880 len=128
        workload-85      [000] .....     7.345423: text_poke_copy: (text_poke_copy+0x0/0xb0) addr=0xffffffffc0000640 opcode=0xffff888009d37880 len=128
        workload-85      [000] .....     7.345470: __text_poke: (__text_poke+0x0/0x490) func=0xffffffff81038140 addr=0xffffffffc0000640 src=0xffff888009d37880 len=128
        workload-85      [000] .....     7.345580: __text_poke_ret: (text_poke_copy+0x70/0xb0 <- __text_poke) ret=0xffffffffc0000640
        workload-85      [000] .....     7.345595: text_poke_copy_ret: (bpf_arch_text_copy+0xe/0x30 <- text_poke_copy) ret=0xffffffffc0000640
        workload-85      [000] .....     7.345599: bpf_arch_text_copy_ret: (bpf_jit_binary_pack_finalize+0x1c/0x50 <- bpf_arch_text_copy) ret=0xffffffffc0000640
        workload-85      [000] .....     7.345609: bpf_jit_binary_pack_finalize_ret: (bpf_int_jit_compile+0x22f/0x500 <- bpf_jit_binary_pack_finalize) ret=0
        workload-85      [000] .....     7.345618: bpf_int_jit_compile_ret: (bpf_prog_select_runtime+0x109/0x190 <- bpf_int_jit_compile) ret=0xffffc90000045000 jited_len=88 bpf_func=0xffffffffc0000664
        workload-85      [000] .....     7.345739: bpf_prog_kallsyms_add: (bpf_prog_kallsyms_add+0x0/0x140) fp=0xffffc90000045000 insns=16 jited_len=88 bpf_func=0xffffffffc0000664 id=1 func_idx=0 func_cnt=0
        workload-85      [000] .....     7.345933: bpf_ksym_add: (bpf_ksym_add+0x0/0x170) ksym=0xffff888003df48d0 start=0xffffffffc0000664 end=0xffffffffc00006bc name="bpf_prog_ffc7dbc7d8840032_p1_16"
        workload-85      [000] .....     7.346140: bpf_ksym_add_ret: ([unknown/kretprobe'd] <- bpf_ksym_add)
        workload-85      [000] .....     7.346154: bpf_prog_kallsyms_add_ret: (bpf_prog_load+0x60b/0xb00 <- bpf_prog_kallsyms_add)
        workload-85      [000] .....     7.891630: tracing_mark_write: phase: loaded
        workload-85      [000] .....    11.460905: tracing_mark_write: op 2: close slot=0
        workload-85      [000] .....    11.460925: bpf_ksym_del: (bpf_ksym_del+0x0/0xa0) ksym=0xffff888003df48d0 start=0xffffffffc0000664 end=0xffffffffc00006bc name="bpf_prog_ffc7dbc7d8840032_p1_16"
        workload-85      [000] .....    11.460937: bpf_ksym_del_ret: (__bpf_prog_put_noref+0x14/0xe0 <- bpf_ksym_del)
     kworker/0:2-51      [000] .....    11.476607: bpf_jit_free: (bpf_jit_free+0x0/0x90) prog=0xffffc90000045000 insns=16 jited_len=88 bpf_func=0xffffffffc0000664 id=0 func_idx=0 func_cnt=0
     kworker/0:2-51      [000] .....    11.476652: bpf_jit_binary_pack_free: (bpf_jit_binary_pack_free+0x0/0x30) ro_header=0xffffffffc0000640 rw_header=0x0
     kworker/0:2-51      [000] .....    11.476665: bpf_prog_pack_free: (bpf_prog_pack_free+0x0/0x1d0) hdr=0xffffffffc0000640 hdr_size=128
     kworker/0:2-51      [000] .....    11.476684: bpf_arch_text_invalidate: (bpf_arch_text_invalidate+0x0/0x40) dst=0xffffffffc0000640 len=128
     kworker/0:2-51      [000] .....    11.476701: text_poke_set: (text_poke_set+0x0/0xb0) addr=0xffffffffc0000640 c=204 len=128
     kworker/0:2-51      [000] .....    11.476715: __text_poke: (__text_poke+0x0/0x490) func=0xffffffff81038150 addr=0xffffffffc0000640 src=0xffffc9000038be04 len=128
     kworker/0:2-51      [000] .....    11.476898: __text_poke_ret: (text_poke_set+0x74/0xb0 <- __text_poke) ret=0xffffffffc0000640
     kworker/0:2-51      [000] .....    11.476927: text_poke_set_ret: (bpf_arch_text_invalidate+0x12/0x40 <- text_poke_set) ret=0xffffffffc0000640
     kworker/0:2-51      [000] .....    11.476932: bpf_arch_text_invalidate_ret: (bpf_prog_pack_free+0xb2/0x1d0 <- bpf_arch_text_invalidate) ret=0
     kworker/0:2-51      [000] .....    11.476943: bpf_prog_pack_free_ret: (bpf_jit_binary_pack_free+0x11/0x30 <- bpf_prog_pack_free)
     kworker/0:2-51      [000] .....    11.476950: bpf_jit_binary_pack_free_ret: (bpf_jit_free+0x50/0x90 <- bpf_jit_binary_pack_free)
     kworker/0:2-51      [000] .....    11.477051: bpf_jit_free_ret: (process_one_work+0x1c7/0x380 <- bpf_jit_free)
        workload-85      [001] .....    11.966000: tracing_mark_write: phase: end
        workload-85      [001] .....    11.967000: tracing_mark_write: twice
        workload-85      [001] .....    11.968000: tracing_mark_write: twice
`.slice(1);

const LINES = BODY.trimEnd().split('\n').length;

/** The recording as ftrace's `trace` file. */
export const recording = `# tracer: nop
#
# entries-in-buffer/entries-written: ${LINES}/${LINES}   #P:2
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
${BODY}`;

/** The same with 12 events lost in the middle. */
export const lossy = recording.replace(/^(.*phase: loaded\n)/m, '$1CPU:0 [LOST 12 EVENTS]\n');

/** Another recording: its program lies elsewhere. */
export const other = recording.replaceAll('0xffffffffc00006', '0xffffffffc0000a');
