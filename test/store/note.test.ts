import { expect } from 'chai';
import * as fc from 'fast-check';
import { newNoteKeys, parseSigner, parseVerifier, signedBy } from '../../store/note-key.js';
import { noteText, parseNote, type Note } from '../../store/note.js';
import { codeOf, failure, must } from './given.js';

/** The example of Go's package golang.org/x/mod/sumdb/note. */
const SECRET = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const OPEN = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
const read = (text: string): Note => must(parseNote(bytes(text), 'note'));
const signer = must(parseSigner(SECRET, 'key'));
const verifier = must(parseVerifier(OPEN, 'key.pub'));

describe('Signed notes', () => {
  it('are those of Go, byte for byte: Ed25519 signs the same twice', () => {
    expect(noteText({ text: TEXT, signatures: [signer.sign(TEXT)] })).to.equal(NOTE);
    expect(signedBy(read(NOTE), verifier)).to.equal('good');
    expect(noteText(read(NOTE))).to.equal(NOTE);
  });

  it('say whose signature they have', () => {
    const keys = must(newNoteKeys('example.org/other'));
    const other = must(parseSigner(keys.secret, 'other'));
    const both = { text: TEXT, signatures: [other.sign(TEXT), signer.sign(TEXT)] };
    const read2 = read(noteText(both));
    expect(signedBy(read2, verifier)).to.equal('good');
    expect(signedBy(read2, must(parseVerifier(keys.open, 'other.pub')))).to.equal('good');
    expect(signedBy(read2, null)).to.equal('not-checked');
    expect(signedBy(read(noteText({ text: TEXT, signatures: [other.sign(TEXT)] })), verifier)).to.equal(
      'by-others',
    );
    expect(signedBy(read(`${TEXT}\n`), verifier)).to.equal('unsigned');
    expect(signedBy({ ...read(NOTE), text: TEXT.replace('answer', 'anser') }, verifier)).to.equal('bad');
  });

  it('are forged when one of several signatures of a key is not its own', () => {
    const own = signer.sign(TEXT);
    const forged = { ...own, bytes: own.bytes.map((byte) => byte ^ 1) };
    for (const signatures of [
      [own, forged],
      [forged, own],
    ])
      expect(signedBy(read(noteText({ text: TEXT, signatures })), verifier)).to.equal('bad');
  });

  it('keep an empty line in their text: the last one ends it', () => {
    const text = 'one\n\ntwo\n';
    expect(read(noteText({ text, signatures: [signer.sign(text)] })).text).to.equal(text);
  });

  it('are never good once a byte is changed or cut off', () => {
    const whole = bytes(NOTE);
    for (let length = 0; length < whole.length; length++) {
      const note = parseNote(whole.subarray(0, length), 'note');
      if (note.ok) expect(signedBy(note.value, verifier), `${length} bytes`).not.to.equal('good');
    }
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] as number) ^ bits;
        const note = parseNote(changed, 'note');
        if (note.ok) expect(signedBy(note.value, verifier)).not.to.equal('good');
      }),
    );
  });

  const wrong: readonly (readonly [what: string, text: string | Buffer])[] = [
    ['no empty line', TEXT],
    ['a last line that is cut off', NOTE.slice(0, -1)],
    ['a line that is no signature', `${TEXT}\nPeterNeumann x08go/ZJkuA=\n`],
    ['a hyphen for the dash', NOTE.replace('—', '-')],
    ['a signature that is not base64', `${TEXT}\n— a x08g*/ZJkuA=\n`],
    ['a signature that is too short', `${TEXT}\n— a AAAA\n`],
    ['a name with a plus', NOTE.replace('PeterNeumann', 'Peter+Neumann')],
    ['a control character', NOTE.replace('your', 'yo\tur')],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from([0xff]), bytes(NOTE)])],
  ];
  for (const [what, text] of wrong)
    it(`are refused with ${what}`, () => {
      expect(codeOf(parseNote(Buffer.from(text), 'note'))).to.equal('bad-note');
    });
});

describe('Keys of notes', () => {
  it('come in pairs, each another', () => {
    const [one, two] = [must(newNoteKeys('a')), must(newNoteKeys('a'))];
    expect(one.secret).to.match(/^PRIVATE\+KEY\+a\+[0-9a-f]{8}\+\S{44}$/);
    expect(one.open)
      .to.match(/^a\+[0-9a-f]{8}\+\S{44}$/)
      .and.not.equal(two.open);
    const signature = must(parseSigner(`${one.secret}\n`, 'a')).sign(TEXT);
    expect(must(parseVerifier(one.open, 'a.pub')).isSigned(TEXT, signature.bytes)).to.equal(true);
    expect(must(parseVerifier(two.open, 'a.pub')).isSigned(TEXT, signature.bytes)).to.equal(false);
  });

  it('have names without spaces and plus signs', () => {
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b'])
      expect(codeOf(newNoteKeys(name))).to.equal('bad-key-name');
  });

  const wrong: readonly (readonly [what: string, secret: string])[] = [
    ['nothing', ''],
    ['another name', SECRET.replace('Peter', 'Petra')],
    ['another id', SECRET.replace('c74f20a3', 'c74f20a4')],
    ['another key', SECRET.replace('YEKFA', 'YEKFB')],
    ['another type', SECRET.replace('+AYEK', '+AoEK')],
    ['the end cut off', SECRET.slice(0, -4)],
  ];
  for (const [what, secret] of wrong)
    it(`that sign are refused with ${what}`, () => {
      expect(codeOf(parseSigner(secret, 'key'))).to.equal('bad-key');
    });

  it('are told apart: the secret half does not check, the public half does not sign', () => {
    expect(failure(parseVerifier(SECRET, 'key')).hint).to.include('.pub');
    expect(codeOf(parseSigner(OPEN, 'key'))).to.equal('bad-key');
    expect(codeOf(parseVerifier(OPEN.replace('ARpc', 'ARpd'), 'key'))).to.equal('bad-key');
  });
});
