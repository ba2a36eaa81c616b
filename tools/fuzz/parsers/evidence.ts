import { type Subject, trial } from '../parser.ts';

const SIMPLE_SIGNING =
  '{"critical":{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"type":"cosign container image signature"},"optional":{"a":"b"}}';
const STATEMENT =
  '{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{}}}';

/** Signatures, attestations and what proves them. */
export const EVIDENCE: readonly Subject[] = [
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
  {
    name: 'bundle',
    seeds: [{ files: 'vectors/cosign/blobs/*.sigstore.json' }],
    load: async () => {
      const { parseBundle } = await import('@bulla/trust/formats/sigstore-bundle/parse');
      return trial((bytes) => parseBundle(bytes, 'input'));
    },
  },
  {
    name: 'certificate',
    seeds: [
      {
        files: 'vectors/cosign/blobs/keyless*.sigstore.json',
        member: ['verificationMaterial', 'certificate', 'rawBytes'],
        as: 'base64',
      },
    ],
    load: async () => {
      const { parseCertificate } = await import('@bulla/trust/x509/certificate');
      return trial((bytes) => parseCertificate(bytes, 'input'));
    },
  },
  {
    name: 'checkpoint',
    seeds: [
      {
        files: 'vectors/cosign/blobs/*.sigstore.json',
        member: [
          'verificationMaterial',
          'tlogEntries',
          '0',
          'inclusionProof',
          'checkpoint',
          'envelope',
        ],
        as: 'text',
      },
    ],
    load: async () => {
      const { parseNote } = await import('@bulla/trust/tlog/note');
      const { parseCheckpoint } = await import('@bulla/trust/tlog/checkpoint');
      return trial((bytes) => parseCheckpoint(parseNote(bytes)));
    },
  },
  {
    name: 'entry-bundle',
    seeds: [{ hex: '00027b7d0003616263' }, { hex: '0000' }],
    load: async () => {
      const { parseEntryBundle } = await import('@bulla/trust/tlog/tile');
      return trial((bytes) => parseEntryBundle(bytes, 'input'));
    },
  },
  {
    name: 'certificate-claims',
    seeds: [
      {
        files: 'vectors/cosign/blobs/keyless*.sigstore.json',
        member: ['verificationMaterial', 'certificate', 'rawBytes'],
        as: 'base64',
      },
    ],
    load: async () => {
      const { parseCertificate } = await import('@bulla/trust/x509/certificate');
      const { fulcioClaims } = await import('@bulla/trust/x509/fulcio-extensions');
      return trial((bytes) => fulcioClaims(parseCertificate(bytes, 'input')));
    },
  },
  {
    name: 'sct-list',
    seeds: [
      {
        hex: `0080007e00${'ab'.repeat(32)}0000018bcfe568000008000005000000170404030047${'30'.repeat(71)}`,
      },
    ],
    load: async () => {
      const { parseSctList } = await import('@bulla/trust/x509/sct-list');
      return trial((bytes) => parseSctList(bytes));
    },
  },
  {
    name: 'trusted-root',
    seeds: [{ files: 'packages/trust/src/trust-root/*.trusted-root.json' }],
    load: async () => {
      const { parseTrustedRoot } = await import('@bulla/trust/trust-root/trusted-root');
      return trial((bytes) => parseTrustedRoot(bytes, 'input'));
    },
  },
  {
    name: 'signing-config',
    seeds: [
      {
        text: '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[{"url":"https://ca.example","majorApiVersion":1,"validFor":{"start":"2025-01-01T00:00:00Z"},"operator":"a"}],"rekorTlogUrls":[{"url":"https://log.example","majorApiVersion":2,"validFor":{"start":"2025-01-01T00:00:00Z","end":"2030-01-01T00:00:00Z"}}],"rekorTlogConfig":{"selector":"ANY"},"tsaUrls":[{"url":"https://tsa.example","majorApiVersion":1,"validFor":{"start":"2025-01-01T00:00:00Z"}}],"tsaConfig":{"selector":"EXACT","count":1}}',
      },
    ],
    load: async () => {
      const { parseSigningConfig } = await import('@bulla/trust/trust-root/signing-config');
      return trial((bytes) => parseSigningConfig(bytes, 'input'));
    },
  },
  {
    name: 'timestamp',
    seeds: [
      {
        files: 'vectors/cosign/blobs/*.sigstore.json',
        member: [
          'verificationMaterial',
          'timestampVerificationData',
          'rfc3161Timestamps',
          '0',
          'signedTimestamp',
        ],
        as: 'base64',
      },
    ],
    load: async () => {
      const { parseTimestamp } = await import('@bulla/trust/timestamp/token');
      return trial(parseTimestamp);
    },
  },
];
