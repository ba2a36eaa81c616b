import { type Subject, textTrial, trial } from '../parser.ts';

const IMAGE_INDEX =
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","platform":{"architecture":"amd64","os":"linux"}}]}';

/** Containers, encodings and patterns. */
export const ENCODINGS: readonly Subject[] = [
  {
    name: 'json',
    seeds: [
      { text: '{"a":[1,2.5e3,-0,true,null,"\\u00e9\\n"],"b":{"c":{}}}' },
      { text: IMAGE_INDEX },
    ],
    load: async () => {
      const { parseJson } = await import('@bulla/trust/bytes/json');
      return trial((bytes) => parseJson(bytes, 'input'));
    },
  },
  {
    name: 'jcs',
    seeds: [{ text: '{"b":[1,2.5e3,-0,1e21,true,null,"\\u00e9\\n"],"a":{"\u20ac":"\\r","1":{}}}' }],
    load: async () => {
      const { parseJson } = await import('@bulla/trust/bytes/json');
      const { canonicalizeJcs } = await import('@bulla/trust/bytes/jcs');
      // -0 is written as 0 and 1.0 as 1, so the law is on what was written.
      return trial((bytes) => parseJson(bytes, 'input'), {
        encode: canonicalizeJcs,
        law: 'stable',
      });
    },
  },
  {
    name: 'pem',
    seeds: [{ files: 'vectors/cosign/keys/*.{pem,pub,key}' }],
    load: async () => {
      const { decodePem, encodePem } = await import('@bulla/trust/bytes/pem');
      return textTrial((text) => decodePem(text), {
        encode: (blocks) => blocks.map(({ label, bytes }) => encodePem(label, bytes)).join(''),
        law: 'stable',
      });
    },
  },
  {
    name: 'base64',
    seeds: [{ text: 'AAECAwQ=' }, { text: 'YWI=' }, { text: '' }, { text: '+/+/' }],
    load: async () => {
      const { decodeBase64, encodeBase64 } = await import('@bulla/trust/bytes/base64');
      return textTrial((text) => decodeBase64(text), { encode: encodeBase64, law: 'identical' });
    },
  },
  {
    name: 'hex',
    seeds: [{ text: '00ff7f' }, { text: '' }],
    load: async () => {
      const { decodeHex, encodeHex } = await import('@bulla/trust/bytes/hex');
      return textTrial((text) => decodeHex(text), {
        encode: encodeHex,
        law: 'stable',
      });
    },
  },
  {
    name: 'der',
    seeds: [
      { hex: '3013020101300906072a8648ce3d0201030300ff00' },
      { hex: '300d06092a864886f70d0101010500' },
      { hex: '3017170d3236313132313030303030305a180f32303536' },
    ],
    load: async () => {
      const { DER, derChildren, readDer } = await import('@bulla/trust/bytes/der');
      return trial((bytes) => {
        const queue = [readDer(bytes, 'input')];
        for (const value of queue) {
          if (value.tag === DER.sequence || value.tag === DER.set) {
            queue.push(...derChildren(value, 'input'));
          }
        }
      });
    },
  },
  {
    name: 'pattern',
    seeds: [
      { text: 'registry.example/prod/**' },
      { text: '(?i)https://[a-z]+\\.example/(a|b)*x{1,3}[^\\d]$' },
    ],
    load: async () => {
      const { parseGlob } = await import('@bulla/trust/policy/pattern/glob');
      const { parseRegex } = await import('@bulla/trust/policy/pattern/regex');
      const { compileProgram } = await import('@bulla/trust/policy/pattern/program');
      const { matchesProgram } = await import('@bulla/trust/policy/pattern/match');
      return textTrial((text) => {
        const value = text.slice(0, 100);
        matchesProgram(compileProgram(parseGlob(text)), value);
        matchesProgram(compileProgram(parseRegex(text)), value);
      });
    },
  },
];
