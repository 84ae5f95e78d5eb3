//! Messages for [`ipfw(4)`](https://man.freebsd.org/ipfw(4)): checks for content that the kernel would follow
//! without a check of its own.

use std::mem::offset_of;

use jailwire_sys::{
    F_LEN_MASK, IP_FW_XADD, IPFW_TLV_RULE_LIST, O_NAT, ip_fw_rule, ip_fw3_opheader, ipfw_insn, ipfw_insn_nat,
    ipfw_obj_ctlv, ipfw_obj_tlv,
};

use super::{Block, Errno, Failure, Result};

/// Refuses a rule whose NAT instruction has a pointer. The pointer field is the kernel's own, and the kernel
/// follows what it finds there. A malformed message is left to the kernel, which refuses it before it follows
/// pointers.
pub(crate) fn check(message: &[u8]) -> Result<()> {
    const HEAD: usize = size_of::<ip_fw3_opheader>();
    let opcode = message.get(offset_of!(ip_fw3_opheader, opcode)..).and_then(<[u8]>::first_chunk);
    if opcode.is_none_or(|opcode| u16::from_ne_bytes(*opcode) != IP_FW_XADD) {
        return Ok(());
    }
    let mut rest = message.get(HEAD..).unwrap_or_default();
    while rest.len() >= size_of::<ipfw_obj_ctlv>() {
        let head = Block::new(&rest[..size_of::<ipfw_obj_ctlv>()]);
        let length = head.u32_at(offset_of!(ipfw_obj_tlv, length)) as usize;
        let Some((list, others)) = rest.split_at_checked(length) else { break };
        if head.u16_at(offset_of!(ipfw_obj_tlv, type_)) == IPFW_TLV_RULE_LIST {
            check_rules(list.get(size_of::<ipfw_obj_ctlv>()..).unwrap_or_default())?;
        }
        if length == 0 {
            break;
        }
        rest = others;
    }
    Ok(())
}

fn check_rules(mut rules: &[u8]) -> Result<()> {
    const BODY: usize = offset_of!(ip_fw_rule, cmd);
    while rules.len() >= BODY {
        let words = Block::new(&rules[..BODY]).u16_at(offset_of!(ip_fw_rule, cmd_len));
        let body = usize::from(words) * size_of::<u32>();
        let Some(instructions) = rules.get(BODY..BODY + body) else { break };
        check_instructions(instructions)?;
        rules = rules.get((BODY + body).next_multiple_of(8)..).unwrap_or_default();
    }
    Ok(())
}

fn check_instructions(mut rest: &[u8]) -> Result<()> {
    const POINTER: usize = offset_of!(ipfw_insn_nat, nat);
    while rest.len() >= size_of::<ipfw_insn>() {
        let length = usize::from(rest[offset_of!(ipfw_insn, len)] & F_LEN_MASK) * size_of::<u32>();
        let Some((instruction, others)) = rest.split_at_checked(length).filter(|_| length > 0) else { break };
        let pointer = instruction.get(POINTER..).unwrap_or_default();
        if instruction[0] == O_NAT && pointer.iter().any(|byte| *byte != 0) {
            return Err(Failure::with_text(Errno::EINVAL, "a rule with a pointer of the kernel's in it"));
        }
        rest = others;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message with one rule, whose only instruction is NAT.
    fn message(pointer: u64) -> Vec<u8> {
        const LIST: usize = size_of::<ip_fw3_opheader>();
        const RULE: usize = LIST + size_of::<ipfw_obj_ctlv>();
        const BODY: usize = RULE + offset_of!(ip_fw_rule, cmd);
        let size = BODY + size_of::<ipfw_insn_nat>();
        let mut block = Block::zeroed(size);
        block.put(offset_of!(ip_fw3_opheader, opcode), &IP_FW_XADD.to_ne_bytes());
        block.put(LIST + offset_of!(ipfw_obj_tlv, type_), &IPFW_TLV_RULE_LIST.to_ne_bytes());
        block.put(LIST + offset_of!(ipfw_obj_tlv, length), &((size - LIST) as u32).to_ne_bytes());
        block.put(RULE + offset_of!(ip_fw_rule, cmd_len), &4u16.to_ne_bytes());
        block.put(BODY, &[O_NAT, 4]);
        block.put(BODY + offset_of!(ipfw_insn_nat, nat), &pointer.to_ne_bytes());
        block.bytes
    }

    #[test]
    fn no_rule_comes_with_a_pointer() {
        assert!(check(&message(0)).is_ok());
        assert_eq!(check(&message(1 << 40)).unwrap_err().errno, Errno::EINVAL);
        // The kernel refuses a message that is cut short.
        let whole = message(1);
        for length in 0..whole.len() - 16 {
            assert!(check(&whole[..length]).is_ok(), "{length}");
        }
    }
}
