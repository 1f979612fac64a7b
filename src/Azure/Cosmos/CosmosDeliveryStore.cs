using System.Net;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// The deliveries of one data set. There are no locks: what is decided on documents is written only if they still are as they were read,
/// and decided anew where they are not. What may have been done though the service did not say so is found done when it is decided anew.
/// </summary>
internal sealed class CosmosDeliveryStore(PartitionClient client, Partition partition, TimeProvider clock) : IDeliveryStore
{
    /// <summary>After so many rounds in which others were first, the store is said to be unavailable.</summary>
    private const int MaxTries = 100;

    /// <summary>Deliveries settled or reopened in one batch; their lane is in it too.</summary>
    private const int MaxPerLane = DeliveryBatch.MaxOperations - 1;

    /// <summary>Attempts noted in one batch: two writes each, and one for the endpoint's failures.</summary>
    private const int MaxAttemptsPerBatch = (DeliveryBatch.MaxOperations - 1) / 2;

    /// <summary>The part of its time after which a worker that is awake has its hold written anew: not with each round.</summary>
    private const double HoldSlack = 0.1;

    /// <summary>How much older the last failure noted may be than the last there was: not each is written.</summary>
    private static readonly TimeSpan RunSlack = TimeSpan.FromHours(1);

    public Partition Partition => partition;

    /// <remarks>A batch for up to 50 lanes with one delivery each, and one more batch and query if some of the lanes or deliveries are there already.</remarks>
    public async ValueTask Add(IReadOnlyCollection<Delivery> deliveries, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var portion in Portions(deliveries))
        {
            var known = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            var isFirst = true;
            await DecideAndWrite(
                async () =>
                {
                    // Mostly nothing of it is there yet; what is, is looked up once a batch has failed of it.
                    if (!isFirst)
                    {
                        var ids = portion.Select(delivery => delivery.Id).Concat(portion.Select(delivery => LaneDocument.IdOf(delivery.Lane)).Distinct());
                        known = (await ById(LaneDocument.Columns, ids, ct)).ToDictionary(document => document.GetProperty("id").GetString()!, StringComparer.Ordinal);
                    }

                    isFirst = false;
                    var batch = new DeliveryBatch(client);
                    foreach (var lane in portion.Where(delivery => !known.ContainsKey(delivery.Id)).GroupBy(delivery => delivery.Lane))
                    {
                        foreach (var delivery in lane) batch.Put(delivery.Id, DeliveryDocument.New(partition.Key, delivery), etag: null);
                        var before = known.TryGetValue(LaneDocument.IdOf(lane.Key), out var document) ? LaneDocument.Read(document) : null;
                        var after = lane.Where(delivery => delivery.Status is DeliveryStatus.Pending).Aggregate(before, (sum, delivery) => sum?.With(delivery) ?? LaneDocument.Of(delivery, now));
                        if (after is not null && after != before) Put(batch, after);
                    }

                    return (batch.Count == 0 || await batch.Send(ct), true);
                },
                ct);
        }
    }

    /// <remarks>
    /// One write, not a read: whoever lets the worker go between what was recorded and this, or has read before it and lets it go after, is found out.
    /// </remarks>
    public async ValueTask<Worker?> GetWorker(string webhookId, DateTimeOffset now, CancellationToken ct) => await DecideAndWrite<Worker?>(
        async () =>
        {
            if (!PartitionClient.IsId(EndpointDocument.IdOf(webhookId))) return (true, null);
            using var answer = await Faults.Told(
                () => client.Container.PatchItemStreamAsync(EndpointDocument.IdOf(webhookId), client.Key, [PatchOperation.Increment("/asked", 1)], cancellationToken: ct), ct);
            if (answer.StatusCode is HttpStatusCode.NotFound && Faults.SubStatus(answer.Headers) == 0) return (true, null);
            if (!answer.IsSuccessStatusCode) throw Faults.Of(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
            using var document = await JsonDocument.ParseAsync(answer.Content, cancellationToken: ct);
            var endpoint = EndpointDocument.Read(document.RootElement);
            return (true, endpoint.IsHeld(now) ? new Worker(endpoint.Holder, endpoint.IsAsleep) : null);
        },
        ct);

    public async ValueTask Release(string webhookId, string holder, CancellationToken ct) => await DecideAndWrite(
        async () =>
        {
            var endpoint = await client.Read(EndpointDocument.IdOf(webhookId), ct) is { } document ? EndpointDocument.Read(document) : null;
            return (endpoint?.Holder != holder || await new DeliveryBatch(client).Delete(EndpointDocument.IdOf(webhookId), endpoint.ETag).Send(ct), true);
        },
        ct);

    /// <remarks>A point read and two queries, whatever the number of lanes; a write where the worker falls asleep, wakes, begins or ends, and else once in a tenth of its time.</remarks>
    public async ValueTask<DueDeliveries> AcquireDue(string webhookId, string holder, DateTimeOffset now, DateTimeOffset until, int limit, CancellationToken ct) => await DecideAndWrite<DueDeliveries>(
        async () =>
        {
            // The endpoint is read first: what was recorded before somebody asked for its worker is then seen by what follows, in this session.
            var endpoint = await client.Read(EndpointDocument.IdOf(webhookId), ct) is { } document ? EndpointDocument.Read(document) : null;
            if (endpoint?.IsHeld(now) == true && endpoint.Holder != holder) return (await IsStill(webhookId, endpoint, ct), new DueDeliveries(WorkState.Held, []));

            var due = await Lanes(webhookId, " AND c.due <= @now", now, limit, ct);
            if (due.Count > 0)
            {
                var holds = endpoint is { IsAsleep: false } && endpoint.IsHeld(now) && until - endpoint.Until <= (until - now) * HoldSlack;
                if (!holds && !await Hold(webhookId, new EndpointDocument(holder, until, IsAsleep: false, endpoint?.ETag), ct)) return (false, null!);
                return (true, new DueDeliveries(WorkState.Due, await Heads(due, ct)));
            }

            if (await Lanes(webhookId, "", now, 1, ct) is [var next])
            {
                if (!await Hold(webhookId, new EndpointDocument(holder, next.Due + (until - now), IsAsleep: true, endpoint?.ETag), ct)) return (false, null!);
                return (true, await Heads([next], ct) is [var head] ? new DueDeliveries(WorkState.Waits, [], (head, next.Due)) : new DueDeliveries(WorkState.Due, []));
            }

            return (await LetGo(webhookId, endpoint, holder, until, ct), new DueDeliveries(WorkState.Empty, []));
        },
        ct);

    /// <remarks>
    /// For up to 49 attempts two queries (point reads for one), a point read and a batch of two writes for each (the delivery, its lane); a query more for each lane in
    /// which something else is pending, and one for all of them.
    /// </remarks>
    public async ValueTask<IReadOnlyList<RecordedAttempt>> RecordAttempts(string webhookId, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct)
    {
        var noted = new List<RecordedAttempt>(attempts.Count);
        foreach (var portion in attempts.Chunk(MaxAttemptsPerBatch)) noted.AddRange(await DecideAndWrite(() => RecordAttempts(webhookId, portion, ct), ct));
        return noted;
    }

    /// <remarks>Three queries, and a batch for up to 100 lanes.</remarks>
    public async ValueTask Defer(IReadOnlyCollection<(string DeliveryId, int Number)> attempts, DateTimeOffset until, CancellationToken ct)
    {
        foreach (var portion in attempts.Chunk(DeliveryBatch.MaxOperations))
        {
            await DecideAndWrite(
                async () =>
                {
                    // Deliveries are looked at again once their lanes are read: an attempt noted since changes its lane, and the batch fails.
                    var ids = portion.Select(attempt => attempt.DeliveryId).ToList();
                    var lanes = (await Deliveries(ids, ct)).Select(delivery => LaneDocument.IdOf(delivery.Lane)).Distinct();
                    var known = (await ById(LaneDocument.Columns, lanes, ct)).Select(LaneDocument.Read).ToDictionary(lane => lane.Lane);
                    var numbers = portion.ToLookup(attempt => attempt.DeliveryId, attempt => attempt.Number, StringComparer.Ordinal);
                    var underWay = (await Deliveries(ids, ct)).Where(delivery => delivery.Status is DeliveryStatus.Pending && numbers[delivery.Id].Any(number => delivery.NextAttempt <= number));
                    var batch = new DeliveryBatch(client);
                    foreach (var lane in underWay.Select(delivery => known.GetValueOrDefault(delivery.Lane)).OfType<LaneDocument>().Distinct()) Put(batch, lane with { Due = until, IsUnderWay = true });
                    return (batch.Count == 0 || await batch.Send(ct), true);
                },
                ct);
        }
    }

    /// <remarks>A query, and for each lane a point read and a batch.</remarks>
    public async ValueTask<int> Reopen(IReadOnlyCollection<string> deliveryIds, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct)
    {
        var reopened = 0;
        var found = await Deliveries(deliveryIds.Distinct(StringComparer.Ordinal), ct);
        foreach (var portion in found.Where(delivery => statuses.Contains(delivery.Status)).GroupBy(delivery => delivery.Lane).SelectMany(lane => lane.Chunk(MaxPerLane)))
            reopened += await Reopen(portion[0].Lane, portion, statuses, now, ct);
        return reopened;
    }

    /// <remarks>A query, a point read, a query and a batch for each lane, and one for what was recorded since. Lane after lane: what was done stays if it breaks off, and is not counted when it is called again.</remarks>
    public async ValueTask<int> Finalize(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct)
    {
        var settled = 0;
        while (true)
        {
            var query = new QueryDefinition("SELECT * FROM c WHERE STARTSWITH(c.queue, @endpoint) AND c.created_at <= @asOf ORDER BY c.queue")
                .WithParameter("@endpoint", DeliveryDocument.Queue(webhookId)).WithParameter("@asOf", Time.Of(asOf));
            var pending = (await client.All(query, 10 * MaxPerLane, ct)).Select(DeliveryDocument.Read).ToList();
            if (pending.Count == 0) break;
            foreach (var portion in pending.GroupBy(delivery => delivery.Lane).SelectMany(lane => lane.Chunk(MaxPerLane))) settled += await Finalize(portion[0].Lane, portion, status, ct);
        }

        // What is left was recorded since: the endpoint was enabled again, and nobody waits for what was given up.
        foreach (var lane in await Lanes(webhookId, " AND c.due > @now", asOf, int.MaxValue, ct))
        {
            await DecideAndWrite(
                async () =>
                {
                    var now = await ReadLane(lane.Lane, ct);
                    return (now is null || now.IsUnderWay || now.Due <= asOf || await Put(new DeliveryBatch(client), now with { Due = asOf }).Send(ct), true);
                },
                ct);
        }

        return await DecideAndWrite(
            async () => (await client.Read(RunDocument.IdOf(webhookId), ct) is not { } run || await new DeliveryBatch(client).Delete(RunDocument.IdOf(webhookId), RunDocument.Read(run).ETag).Send(ct), settled), ct);
    }

    /// <remarks>A point read.</remarks>
    public async ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct) => await Document(deliveryId, ct) is { } document ? DeliveryDocument.Read(document) : null;

    /// <remarks>A query that reads a range of an index.</remarks>
    public async ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct)
    {
        var query = new QueryDefinition(
            $"SELECT * FROM c WHERE c.webhook = @webhook{(status is null ? "" : " AND c.status = @status")}{(before is null ? "" : " AND c.id < @before")} ORDER BY c.webhook DESC, {(status is null ? "" : "c.status DESC, ")}c.id DESC")
            .WithParameter("@webhook", webhookId);
        if (status is not null) query.WithParameter("@status", status.ToString());
        if (before is not null) query.WithParameter("@before", before);
        return [.. (await client.All(query, limit, ct)).Select(DeliveryDocument.Read)];
    }

    /// <remarks>A query that reads a range of an index.</remarks>
    public async ValueTask<IReadOnlyList<Delivery>> ListFailed(string webhookId, string after, int limit, CancellationToken ct)
    {
        var query = new QueryDefinition("SELECT * FROM c WHERE c.webhook = @webhook AND c.status = @status AND c.id > @after ORDER BY c.webhook, c.status, c.id")
            .WithParameter("@webhook", webhookId).WithParameter("@status", nameof(DeliveryStatus.Failed)).WithParameter("@after", after);
        return [.. (await client.All(query, limit, ct)).Select(DeliveryDocument.Read)];
    }

    /// <summary>Portions that each fit a batch with their lanes, in which a lane stands together.</summary>
    private static IEnumerable<List<Delivery>> Portions(IReadOnlyCollection<Delivery> deliveries)
    {
        var (portion, operations) = (new List<Delivery>(), 0);
        foreach (var part in deliveries.DistinctBy(delivery => delivery.Id).GroupBy(delivery => delivery.Lane).SelectMany(lane => lane.Chunk(MaxPerLane)))
        {
            if (operations + part.Length + 1 > DeliveryBatch.MaxOperations)
            {
                yield return portion;
                (portion, operations) = ([], 0);
            }

            portion.AddRange(part);
            operations += part.Length + 1;
        }

        if (portion.Count > 0) yield return portion;
    }

    private async ValueTask<(bool IsDone, IReadOnlyList<RecordedAttempt> Result)> RecordAttempts(string webhookId, FinishedAttempt[] attempts, CancellationToken ct)
    {
        var (documentsRead, runRead) = (ById("*", attempts.Select(made => made.DeliveryId), ct).AsTask(), client.Read(RunDocument.IdOf(webhookId), ct).AsTask());
        await Task.WhenAll(documentsRead, runRead);
        var read = (await documentsRead).Where(IsDelivery).Select(document => (Delivery: DeliveryDocument.Read(document), ETag: document.GetProperty("_etag").GetString()!)).ToDictionary(one => one.Delivery.Id, StringComparer.Ordinal);
        var before = await runRead is { } runDocument ? RunDocument.Read(runDocument) : null;
        var lanes = (await ById(LaneDocument.Columns, read.Values.Select(one => LaneDocument.IdOf(one.Delivery.Lane)).Distinct(), ct)).Select(LaneDocument.Read).ToDictionary(lane => lane.Lane);

        var steps = await Task.WhenAll(attempts.Where(made => read.ContainsKey(made.DeliveryId)).Select(made => Step(made, read[made.DeliveryId].Delivery)));
        if (steps.Any(step => !step.IsConsistent)) return (false, []);
        var (batch, run, known) = (new DeliveryBatch(client), before?.Run, new Dictionary<string, (string? Head, DateTimeOffset? Since)>(StringComparer.Ordinal));
        foreach (var (made, noted, lane, after, _) in steps)
        {
            var (delivery, etag) = read[made.DeliveryId];
            if (noted != delivery)
            {
                batch.Patch(delivery.Id, DeliveryDocument.Noting(delivery, made.Attempt, noted), etag);
                Put(batch, lane, after);
                run = made.Attempt.Outcome switch
                {
                    AttemptOutcome.Delivered => null,
                    AttemptOutcome.Expired => run,
                    _ => FailureRun.After(run, made.Attempt.At),
                };
            }

            known[delivery.Id] = (after?.Head, run?.Since);
        }

        Put(batch, webhookId, before, run);
        if (batch.Count > 0 && !await batch.Send(ct)) return (false, []);
        var heads = steps.Where(step => step.After?.Head == step.Noted.Id).ToDictionary(step => step.Noted.Id, step => step.Noted, StringComparer.Ordinal);
        foreach (var head in await Deliveries(known.Values.Select(one => one.Head).OfType<string>().Where(head => !heads.ContainsKey(head)), ct)) heads[head.Id] = head;
        return (true, [.. attempts.Select(made => known.TryGetValue(made.DeliveryId, out var one) ? new RecordedAttempt(one.Head is null ? null : heads.GetValueOrDefault(one.Head), one.Since) : default)]);

        // What becomes of the delivery and its lane; nothing where the attempt was noted before.
        async Task<(FinishedAttempt Made, Delivery Noted, LaneDocument? Lane, LaneDocument? After, bool IsConsistent)> Step(FinishedAttempt made, Delivery delivery)
        {
            var lane = lanes.GetValueOrDefault(delivery.Lane);
            if (delivery.Attempts.Any(attempt => attempt.Number == made.Attempt.Number)) return (made, delivery, lane, lane, true);

            // What was settled while the attempt was under way stays settled, unless the attempt delivered it after all.
            var noted = delivery with
            {
                Status = delivery.Status is DeliveryStatus.Pending || made.Status is DeliveryStatus.Delivered ? made.Status : delivery.Status,
                Attempts = [.. delivery.Attempts.Append(made.Attempt).OrderBy(each => each.Number).TakeLast(DeliveryAttempt.MaxKept)],
            };
            var (after, isConsistent) = await Advanced(lane, delivery.Status is DeliveryStatus.Pending && noted.Status is not DeliveryStatus.Pending ? [delivery] : [], made.Due, ct);
            return (made, noted, lane, after, isConsistent);
        }
    }

    private async ValueTask<int> Reopen(Lane lane, IReadOnlyCollection<Delivery> portion, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct)
    {
        // How a delivery looks that this call has reopened, should an answer get lost.
        var mine = new Dictionary<string, Delivery>(StringComparer.Ordinal);
        return await DecideAndWrite(
            async () =>
            {
                var before = await ReadLane(lane, ct);
                var documents = await ById("*", portion.Select(delivery => delivery.Id), ct);
                var open = documents.Where(document => DeliveryDocument.Read(document) is var delivery && statuses.Contains(delivery.Status) && !IsMine(delivery)).ToList();
                var done = documents.Select(DeliveryDocument.Read).Count(IsMine);
                if (open.Count == 0) return (true, done);

                var (batch, after) = (new DeliveryBatch(client), before);
                foreach (var document in open)
                {
                    var delivery = DeliveryDocument.Read(document);
                    var reopened = delivery with { Status = DeliveryStatus.Pending, AttemptsBefore = delivery.NextAttempt - 1 };
                    mine[delivery.Id] = reopened;
                    batch.Patch(
                        delivery.Id,
                        [
                            PatchOperation.Set("/status", nameof(DeliveryStatus.Pending)), PatchOperation.Set("/attempts_before", reopened.AttemptsBefore),
                            PatchOperation.Set("/queue", DeliveryDocument.Queue(delivery)), PatchOperation.Set("/ttl", -1),
                        ],
                        document.GetProperty("_etag").GetString()!);
                    if (delivery.Status is not DeliveryStatus.Pending) after = after?.With(delivery) ?? LaneDocument.Of(delivery, now);
                }

                if (mine.ContainsKey(after!.Head) && !after.IsUnderWay) after = after with { Due = now };
                return (await Put(batch, after).Send(ct), open.Count + done);
            },
            ct);

        bool IsMine(Delivery delivery) =>
            mine.TryGetValue(delivery.Id, out var reopened) && delivery.Status is DeliveryStatus.Pending && delivery.AttemptsBefore == reopened.AttemptsBefore;
    }

    private async ValueTask<int> Finalize(Lane lane, IReadOnlyCollection<Delivery> portion, DeliveryStatus status, CancellationToken ct)
    {
        var mine = new HashSet<string>(StringComparer.Ordinal);
        return await DecideAndWrite(
            async () =>
            {
                var before = await ReadLane(lane, ct);
                var documents = await ById("*", portion.Select(delivery => delivery.Id), ct);
                var pending = documents.Where(document => DeliveryDocument.Read(document).Status is DeliveryStatus.Pending).ToList();
                var done = documents.Select(DeliveryDocument.Read).Count(delivery => mine.Contains(delivery.Id) && delivery.Status == status);
                if (pending.Count == 0) return (true, done);

                var batch = new DeliveryBatch(client);
                foreach (var document in pending)
                {
                    var id = document.GetProperty("id").GetString()!;
                    mine.Add(id);
                    batch.Patch(
                        id, [PatchOperation.Set("/status", status.ToString()), PatchOperation.Remove("/queue"), PatchOperation.Set("/ttl", DeliveryDocument.KeptSeconds)], document.GetProperty("_etag").GetString()!);
                }

                var (after, isConsistent) = await Advanced(before, [.. pending.Select(DeliveryDocument.Read)], before?.Due ?? default, ct);
                Put(batch, before, after);
                return (isConsistent && await batch.Send(ct), pending.Count + done);
            },
            ct);
    }

    /// <summary>A lane brought forward: without what is pending there no more, due at a time, with nothing under way.</summary>
    /// <returns>The lane, null where nothing is pending in it; and false where lane and deliveries were not read of one moment.</returns>
    private async ValueTask<(LaneDocument? After, bool IsConsistent)> Advanced(LaneDocument? lane, IReadOnlyCollection<Delivery> settled, DateTimeOffset due, CancellationToken ct)
    {
        if (lane is null) return (null, settled.Count == 0);
        if (lane.Pending < settled.Count) return (null, false);
        if (lane.Pending == settled.Count) return (null, true);
        var after = lane with { Pending = lane.Pending - settled.Count, Due = due, IsUnderWay = false };
        if (settled.All(delivery => delivery.Id != lane.Head)) return (after, true);
        var query = new QueryDefinition("SELECT c.id, c.queue FROM c WHERE STARTSWITH(c.queue, @lane) AND NOT ARRAY_CONTAINS(@settled, c.id) ORDER BY c.queue OFFSET 0 LIMIT 1")
            .WithParameter("@lane", DeliveryDocument.Queue(lane.Lane)).WithParameter("@settled", settled.Select(delivery => delivery.Id));
        return await client.All(query, 1, ct) is [var next] ? (after with { Head = next.GetProperty("id").GetString()!, HeadQueue = next.GetProperty("queue").GetString()! }, true) : (null, false);
    }

    private void Put(DeliveryBatch batch, LaneDocument? before, LaneDocument? after)
    {
        if (after is not null) Put(batch, after);
        else if (before is not null) batch.Delete(LaneDocument.IdOf(before.Lane), before.ETag);
    }

    private void Put(DeliveryBatch batch, string webhookId, RunDocument? before, FailureRun? after)
    {
        if (after is null && before is not null) batch.Delete(RunDocument.IdOf(webhookId), before.ETag);
        if (after is { } run && (before is null || run.Since != before.Run.Since || run.Last - before.Run.Last >= RunSlack))
            batch.Put(RunDocument.IdOf(webhookId), RunDocument.ToJson(partition.Key, webhookId, run), before?.ETag);
    }

    /// <summary>Whether it still is as it was read: what this process has not seen yet would turn a worker away that another one has called.</summary>
    private ValueTask<bool> IsStill(string webhookId, EndpointDocument endpoint, CancellationToken ct) =>
        new DeliveryBatch(client).Patch(EndpointDocument.IdOf(webhookId), [PatchOperation.Increment("/asked", 1)], endpoint.ETag!).Send(ct);

    private ValueTask<bool> Hold(string webhookId, EndpointDocument endpoint, CancellationToken ct) =>
        new DeliveryBatch(client).Put(EndpointDocument.IdOf(webhookId), endpoint.ToJson(partition.Key, webhookId), endpoint.ETag).Send(ct);

    /// <summary>
    /// Ends a hold, if nobody has asked for the worker since it was read. Where none was there, a document that is made and removed again shows that there still is none.
    /// </summary>
    private ValueTask<bool> LetGo(string webhookId, EndpointDocument? endpoint, string holder, DateTimeOffset until, CancellationToken ct)
    {
        var (id, batch) = (EndpointDocument.IdOf(webhookId), new DeliveryBatch(client));
        if (endpoint is null) batch.Put(id, new EndpointDocument(holder, until, IsAsleep: false).ToJson(partition.Key, webhookId), etag: null);
        return batch.Delete(id, endpoint?.ETag).Send(ct);
    }

    /// <summary>Lanes of an endpoint, the one due for longest first.</summary>
    private async ValueTask<IReadOnlyList<LaneDocument>> Lanes(string webhookId, string condition, DateTimeOffset now, int limit, CancellationToken ct)
    {
        var query = new QueryDefinition($"SELECT {LaneDocument.Columns} FROM c WHERE c.lane_of = @webhook{condition} ORDER BY c.lane_of, c.due").WithParameter("@webhook", webhookId);
        if (condition.Length > 0) query.WithParameter("@now", Time.Of(now));
        return [.. (await client.All(query, limit, ct)).Select(LaneDocument.Read)];
    }

    /// <summary>The oldest delivery of each lane, in the lanes' order; without those that were settled since.</summary>
    private async ValueTask<IReadOnlyList<Delivery>> Heads(IReadOnlyList<LaneDocument> lanes, CancellationToken ct)
    {
        var found = (await Deliveries(lanes.Select(lane => lane.Head), ct)).ToDictionary(delivery => delivery.Id, StringComparer.Ordinal);
        return [.. lanes.Select(lane => found.GetValueOrDefault(lane.Head)).OfType<Delivery>().Where(delivery => delivery.Status is DeliveryStatus.Pending)];
    }

    private async ValueTask<IReadOnlyList<Delivery>> Deliveries(IEnumerable<string> ids, CancellationToken ct) =>
        [.. (await ById("*", ids, ct)).Where(IsDelivery).Select(DeliveryDocument.Read)];

    private async ValueTask<IReadOnlyList<JsonElement>> ById(string columns, IEnumerable<string> ids, CancellationToken ct)
    {
        var wanted = ids.ToArray();
        if (wanted is [var only]) return await client.Read(only, ct) is { } document ? [document] : [];
        return wanted.Length == 0 ? [] : await client.All(new QueryDefinition($"SELECT {columns} FROM c WHERE ARRAY_CONTAINS(@ids, c.id)").WithParameter("@ids", wanted), wanted.Length, ct);
    }

    private async ValueTask<LaneDocument?> ReadLane(Lane lane, CancellationToken ct) => await client.Read(LaneDocument.IdOf(lane), ct) is { } document ? LaneDocument.Read(document) : null;

    private async ValueTask<JsonElement?> Document(string deliveryId, CancellationToken ct) =>
        await client.Read(deliveryId, ct) is { } document && IsDelivery(document) ? document : default(JsonElement?);

    private static bool IsDelivery(JsonElement document) => document.GetProperty("kind").ValueEquals(DeliveryDocument.Kind);

    private DeliveryBatch Put(DeliveryBatch batch, LaneDocument lane) => batch.Put(LaneDocument.IdOf(lane.Lane), lane.ToJson(partition.Key), lane.ETag);

    /// <summary>Reads, decides and writes; anew where others were first, and where the service faltered.</summary>
    /// <param name="round">Answers whether its writes were done, and the result.</param>
    /// <param name="ct">Ends the wait.</param>
    private async ValueTask<T> DecideAndWrite<T>(Func<ValueTask<(bool IsDone, T Result)>> round, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var faults = 0;
        for (var i = 0; i < MaxTries; i++)
        {
            try
            {
                var (isDone, result) = await round();
                if (isDone) return result;
                faults = 0;
                if (i > 0) await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 10 * i)), clock, ct);
            }
            catch (FalteringException e)
            {
                if (faults == PartitionClient.Waits.Length) throw e.Final();
                await Task.Delay(PartitionClient.Waits[faults++], clock, ct);
            }
        }

        throw new StoreUnavailableException("Others write the same deliveries all the time.");
    }
}
