// The stored procedure of large commits, src/Azure/Cosmos/commit.js, against a small model of the server-side API of Cosmos DB.
// What the C# tests have in its place (tests/Azure.Tests/Cosmos/CosmosDatabase.cs) is to do the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const source = readFileSync(new URL('../../src/Azure/Cosmos/commit.js', import.meta.url), 'utf8');

/** Runs the procedure on documents by id. Gives the documents after it, or, if it throws, its message: then nothing has changed. */
function run(before, operations, { acceptMost = Infinity } = {}) {
    const documents = structuredClone(before);
    const pending = [];
    let accepted = 0;
    let etags = 0;
    const later = (callback, ...outcome) => {
        if (++accepted > acceptMost) return false;
        pending.push(() => callback(...outcome));
        return true;
    };
    const fault = number => ({ number, body: `fault ${number}` });
    const find = link => documents[link.split('/').pop()];
    const collection = {
        getSelfLink: () => 'dbs/rid/colls/rid/',
        getAltLink: () => 'dbs/db/colls/crm',
        createDocument(link, document, options, callback) {
            assert.equal(link, 'dbs/rid/colls/rid/');
            assert.equal(options.disableAutomaticIdGeneration, true);
            if (documents[document.id]) return later(callback, fault(409));
            documents[document.id] = { ...structuredClone(document), _etag: `new${++etags}`, _self: `self/${document.id}` };
            return later(callback, undefined, documents[document.id]);
        },
        readDocument(link, options, callback) {
            assert.match(link, /^dbs\/db\/colls\/crm\/docs\//);
            return find(link) ? later(callback, undefined, structuredClone(find(link))) : later(callback, fault(404));
        },
        replaceDocument(link, document, options, callback) {
            if (find(link)._etag !== options.etag) return later(callback, fault(412));
            documents[document.id] = { ...document, _etag: `new${++etags}` };
            return later(callback, undefined, documents[document.id]);
        },
        deleteDocument(link, options, callback) {
            const document = find(link);
            if (!document) return later(callback, fault(404));
            if (options.etag && options.etag !== document._etag) return later(callback, fault(412));
            delete documents[document.id];
            return later(callback, undefined);
        },
    };
    const commit = new Function('getContext', `${source}; return commit;`)(() => ({ getCollection: () => collection }));
    try {
        commit(operations);
        while (pending.length > 0) pending.shift()();
        return { documents };
    } catch (thrown) {
        return { refused: thrown.message };
    }
}

const stored = (id, more) => ({ id, type: 'contact', version: 1, _etag: 'e1', _self: `self/${id}`, ...more });
const before = { ct_1: stored('ct_1'), ct_2: stored('ct_2', { guards: 4 }) };

test('operations are done in order, each on what those before it left', () => {
    const { documents } = run(before, [
        { create: { id: 'ct_3', type: 'contact', version: 1 } },
        { patch: 'ct_3', if: { version: 1 }, set: { version: 2, keys: { a: null } }, etag: null },
        { patch: 'ct_2', if: { type: 'contact' }, set: {}, etag: null },
        { patch: 'ct_1', if: {}, set: {}, etag: 'e1' },
        { delete: 'ct_2', etag: null },
        { create: { id: 'ct_2', version: 1 } },
    ]);
    assert.equal(documents.ct_3.version, 2);
    assert.deepEqual(documents.ct_3.keys, { a: null });
    assert.equal(documents.ct_1.guards, 1);
    assert.equal(documents.ct_2.guards, undefined);
});

test('a guard is counted up and changes nothing else', () => {
    const { documents } = run(before, [{ patch: 'ct_2', if: { type: 'contact' }, set: {}, etag: null }]);
    assert.deepEqual({ ...documents.ct_2, _etag: 'e1' }, { ...before.ct_2, guards: 5 });
    assert.notEqual(documents.ct_2._etag, 'e1');
});

for (const [what, operation, status] of [
    ['an id that is taken', { create: { id: 'ct_1' } }, 409],
    ['a document that is not there', { patch: 'ct_9', if: {}, set: { version: 2 }, etag: null }, 404],
    ['another version', { patch: 'ct_1', if: { version: 2 }, set: { version: 3 }, etag: null }, 412],
    ['another type', { patch: 'ct_1', if: { type: 'company' }, set: {}, etag: null }, 412],
    ['another ETag to patch', { patch: 'ct_1', if: {}, set: { version: 2 }, etag: 'e2' }, 412],
    ['another ETag to delete', { delete: 'ct_1', etag: 'e2' }, 412],
    ['nothing to delete', { delete: 'ct_9', etag: null }, 404],
])
    test(`${what} is refused with its place and status, and throws, which undoes the rest`, () => {
        assert.deepEqual(run(before, [{ patch: 'ct_2', if: {}, set: {}, etag: null }, operation, { create: { id: 'ct_4' } }]), { refused: `REFUSED 1 ${status}` });
    });

test('where the service takes no more operations, nothing is done', () => {
    const operations = Array.from({ length: 200 }, (_, i) => ({ create: { id: `ct_n${i}` } }));
    assert.equal(Object.keys(run(before, operations).documents).length, 202);
    assert.deepEqual(run(before, operations, { acceptMost: 120 }), { refused: 'REFUSED 120 503' });
});
