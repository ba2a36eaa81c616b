import { type Subject, textTrial, trial } from './parser.ts';

const IMAGE_MANIFEST =
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}],"annotations":{"a":"b"}}';
const IMAGE_INDEX =
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","platform":{"architecture":"amd64","os":"linux"}}]}';
const SIMPLE_SIGNING =
  '{"critical":{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"type":"cosign container image signature"},"optional":{"a":"b"}}';
const STATEMENT =
  '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{}}}';

/** Every parser of foreign bytes, one entry each; `npm test` fuzzes each for two seconds. */
export const PARSERS: readonly Subject[] = [
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
    name: 'public-key',
    seeds: [{ files: 'vectors/cosign/keys/*.pub' }],
    load: async () => {
      const { parsePublicKeyPem, publicKeyPem } = await import('@bulla/trust/crypto/public-key');
      return textTrial((text) => parsePublicKeyPem(text, 'input'), {
        encode: publicKeyPem,
        law: 'stable',
      });
    },
  },
  {
    name: 'private-key',
    seeds: [{ files: 'vectors/cosign/keys/*.{key,pem}' }],
    load: async () => {
      const { TrustFault } = await import('@bulla/trust/fault/fault');
      const { readPrivateKey } = await import('@bulla/trust/keys/file/private-key');
      // Nobody answers, so that no passphrase is derived: the parser is fuzzed, not scrypt.
      const silent = (): Promise<string> =>
        Promise.reject(new TrustFault('key.passphrase-missing', 'nobody to ask'));
      return textTrial((text) => readPrivateKey(text, 'input', silent));
    },
  },
  {
    name: 'reference',
    seeds: [
      { text: 'registry.example:5000/acme/app:1.0' },
      { text: 'localhost/foo' },
      { text: 'alpine' },
      {
        text: '[::1]:5000/a/b:tag@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      },
      { text: 'oci:path/to/layout:tag' },
    ],
    load: async () => {
      const { formatReference, parseReference } = await import('@bulla/trust/oci/reference');
      return textTrial(parseReference, { encode: formatReference, law: 'stable' });
    },
  },
  {
    name: 'key-reference',
    seeds: [{ text: 'cosign.key' }, { text: 'file:///keys/a.pem' }, { text: 'env://COSIGN_KEY' }],
    load: async () => {
      const { parseKeyReference } = await import('@bulla/trust/keys/file/reference');
      return textTrial(parseKeyReference);
    },
  },
  {
    name: 'manifest',
    seeds: [{ text: IMAGE_MANIFEST }, { text: IMAGE_INDEX }],
    load: async () => {
      const { parseManifest } = await import('@bulla/trust/oci/manifest');
      return trial((bytes) => parseManifest({ bytes, mediaType: 'application/json' }));
    },
  },
  {
    name: 'referrer-list',
    seeds: [{ text: IMAGE_INDEX }],
    load: async () => {
      const { parseReferrerList } = await import('@bulla/trust/oci/referrer-list');
      return trial((bytes) => parseReferrerList(bytes, 'input'));
    },
  },
  {
    name: 'simple-signing',
    seeds: [{ text: SIMPLE_SIGNING }],
    load: async () => {
      const { buildSimpleSigning, parseSimpleSigning } = await import(
        '@bulla/trust/claims/simple-signing'
      );
      return trial((bytes) => parseSimpleSigning(bytes, 'input'), {
        encode: buildSimpleSigning,
        law: 'stable',
      });
    },
  },
  {
    name: 'statement',
    seeds: [{ text: STATEMENT }],
    load: async () => {
      const { parseStatement } = await import('@bulla/trust/claims/statement');
      return trial((bytes) => parseStatement(bytes, 'input'));
    },
  },
  {
    name: 'dsse',
    seeds: [
      {
        text: '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"a","sig":"MEQ="},{"sig":"AAAA"}]}',
      },
    ],
    load: async () => {
      const { dsseEnvelopeJson, parseDsseEnvelope } = await import('@bulla/trust/envelopes/dsse');
      return trial((bytes) => parseDsseEnvelope(bytes, 'input'), {
        encode: (envelope) => JSON.stringify(dsseEnvelopeJson(envelope)),
        law: 'stable',
      });
    },
  },
];
