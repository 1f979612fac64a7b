// Applies the operations of a commit that are too many for a transactional batch: all of them, or, by throwing, none.
// operations: { create: document } | { patch: id, if: {…}, set: {…}, etag } | { delete: id, etag }; an etag of null is any.
// Throws "REFUSED <place> <status>" for the first that can't be done, with the status the service would give a batch.
function commit(operations) {
    var collection = getContext().getCollection();
    var self = collection.getSelfLink();
    var documents = collection.getAltLink() + "/docs/";
    next(0);

    function next(place) {
        if (place === operations.length) return;
        var operation = operations[place];
        if (operation.create) {
            accepted(collection.createDocument(self, operation.create, { disableAutomaticIdGeneration: true }, done));
        } else if (operation.patch) {
            accepted(collection.readDocument(documents + operation.patch, {}, patch));
        } else {
            accepted(collection.deleteDocument(documents + operation.delete, operation.etag ? { etag: operation.etag } : {}, done));
        }

        function patch(fault, document) {
            if (fault) refuse(fault.number);
            if (operation.etag && document._etag !== operation.etag) refuse(412);
            for (var name in operation.if) if (document[name] !== operation.if[name]) refuse(412);
            var changes = Object.keys(operation.set);
            if (changes.length === 0) document.guards = (document.guards || 0) + 1;
            changes.forEach(function (name) { document[name] = operation.set[name]; });
            accepted(collection.replaceDocument(document._self, document, { etag: document._etag }, done));
        }

        function done(fault) {
            if (fault) refuse(fault.number);
            next(place + 1);
        }

        function refuse(status) {
            throw new Error("REFUSED " + place + " " + status);
        }

        // Out of time: the service asks to come back later, and the commit is done in other steps or not at all.
        function accepted(isAccepted) {
            if (!isAccepted) throw new Error("REFUSED " + place + " 503");
        }
    }
}
