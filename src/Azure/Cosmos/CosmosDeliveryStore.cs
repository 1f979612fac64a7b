using System.Net;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Stores the deliveries of one partition. There are no locks: each operation reads documents, decides, and writes only if they are unchanged; otherwise it
/// reads and decides again. A write whose answer was lost is found done when it decides again.
/// </summary>
internal sealed class CosmosDeliveryStore(PartitionClient client, Partition partition, TimeProvider clock) : IDeliveryStore
{
    /// <summary>Maximum number of attempts of an operation while others write first. After that the store is unavailable.</summary>
    private const int MaxAttempts = 100;

    /// <summary>Maximum number of deliveries finalized or reopened in one batch, which contains their lane, too.</summary>
    private const int MaxPerLane = DeliveryBatch.MaxOperations - 1;

    /// <summary>Maximum number of attempts recorded in one batch: two writes each, and one for the endpoint's failures.</summary>
    private const int MaxAttemptsPerBatch = (DeliveryBatch.MaxOperations - 1) / 2;

    /// <summary>Fraction of its time after which the hold of an awake worker is renewed, so that not every round writes it.</summary>
    private const double HoldSlack = 0.1;

    /// <summary>Maximum lag of the stored last failure, so that not every failure writes it.</summary>
    private static readonly TimeSpan RunSlack = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public Partition Partition => partition;

    /// <remarks>Costs a batch for up to 50 lanes with one delivery each, and one more batch and query if some of them are stored already.</remarks>
    public async ValueTask Add(IReadOnlyCollection<Delivery> deliveries, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var portion in Split(deliveries))
        {
            var known = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            var isFirst = true;
            await DecideAndWrite(
                async () =>
                {
                    // Mostly none of these documents exists yet. Those that do are looked up once a batch has failed because of them.
                    if (!isFirst)
                    {
                        var ids = portion.Select(delivery => delivery.Id).Concat(portion.Select(delivery => LaneDocument.IdOf(delivery.Lane)).Distinct());
                        known = (await ReadDocuments(LaneDocument.Columns, ids, ct))
                            .ToDictionary(document => document.GetProperty("id").GetString()!, StringComparer.Ordinal);
                    }

                    isFirst = false;
                    var batch = new DeliveryBatch(client);
                    foreach (var lane in portion.Where(delivery => !known.ContainsKey(delivery.Id)).GroupBy(delivery => delivery.Lane))
                    {
                        foreach (var delivery in lane) batch.Put(delivery.Id, DeliveryDocument.New(partition.Key, delivery), etag: null);
                        var before = known.TryGetValue(LaneDocument.IdOf(lane.Key), out var document) ? LaneDocument.Read(document) : null;
                        var after = lane.Where(delivery => delivery.Status is DeliveryStatus.Pending)
                            .Aggregate(before, (sum, delivery) => sum?.With(delivery) ?? LaneDocument.Of(delivery, now));
                        if (after is not null && after != before) Put(batch, after);
                    }

                    return (batch.Count == 0 || await batch.Send(ct), true);
                },
                ct);
        }
    }

    /// <remarks>
    /// Costs one write, not a read. The write makes a concurrent release of the worker fail, whether that read the endpoint before or after.
    /// </remarks>
    public async ValueTask<Worker?> GetWorker(string webhookId, DateTimeOffset now, CancellationToken ct) => await DecideAndWrite<Worker?>(
        async () =>
        {
            if (!PartitionClient.IsId(EndpointDocument.IdOf(webhookId))) return (true, null);
            var id = EndpointDocument.IdOf(webhookId);
            using var answer = await ServiceErrors.Send(
                () => client.Container.PatchItemStreamAsync(id, client.Key, [PatchOperation.Increment("/asked", 1)], cancellationToken: ct), ct);
            if (answer.StatusCode is HttpStatusCode.NotFound && ServiceErrors.SubStatus(answer.Headers) == 0) return (true, null);
            if (!answer.IsSuccessStatusCode) throw ServiceErrors.ToException(answer.StatusCode, answer.Headers, () => answer.ErrorMessage);
            using var document = await JsonDocument.ParseAsync(answer.Content, cancellationToken: ct);
            var endpoint = EndpointDocument.Read(document.RootElement);
            return (true, endpoint.IsHeld(now) ? new Worker(endpoint.Holder, endpoint.IsAsleep) : null);
        },
        ct);

    /// <inheritdoc/>
    public async ValueTask Release(string webhookId, string holder, CancellationToken ct) => await DecideAndWrite(
        async () =>
        {
            var endpoint = await client.Read(EndpointDocument.IdOf(webhookId), ct) is { } document ? EndpointDocument.Read(document) : null;
            return (endpoint?.Holder != holder || await new DeliveryBatch(client).Delete(EndpointDocument.IdOf(webhookId), endpoint.ETag).Send(ct), true);
        },
        ct);

    /// <remarks>
    /// Costs a point read and two queries, whatever the number of lanes, and a write where the worker falls asleep, wakes, begins or ends; otherwise one write
    /// in a tenth of its time.
    /// </remarks>
    public async ValueTask<DueDeliveries> AcquireDue(
        string webhookId, string holder, DateTimeOffset now, DateTimeOffset until, int limit, CancellationToken ct) => await DecideAndWrite<DueDeliveries>(
        async () =>
        {
            // The endpoint is read first, so that in this session the queries see all that was added before somebody asked for its worker.
            var endpoint = await client.Read(EndpointDocument.IdOf(webhookId), ct) is { } document ? EndpointDocument.Read(document) : null;
            if (endpoint?.IsHeld(now) == true && endpoint.Holder != holder)
                return (await IsUnchanged(webhookId, endpoint, ct), new DueDeliveries(WorkState.Held, []));

            var due = await ListLanes(webhookId, " AND c.due <= @now", now, limit, ct);
            if (due.Count > 0)
            {
                var holds = endpoint is { IsAsleep: false } && endpoint.IsHeld(now) && until - endpoint.Until <= (until - now) * HoldSlack;
                if (!holds && !await Hold(webhookId, new EndpointDocument(holder, until, IsAsleep: false, endpoint?.ETag), ct)) return (false, null!);
                return (true, new DueDeliveries(WorkState.Due, await ReadHeads(due, ct)));
            }

            if (await ListLanes(webhookId, "", now, 1, ct) is [var next])
            {
                if (!await Hold(webhookId, new EndpointDocument(holder, next.Due + (until - now), IsAsleep: true, endpoint?.ETag), ct)) return (false, null!);
                if (await ReadHeads([next], ct) is not [var head]) return (true, new DueDeliveries(WorkState.Due, []));
                return (true, new DueDeliveries(WorkState.Waits, [], (head, next.Due)));
            }

            return (await EndHold(webhookId, endpoint, holder, until, ct), new DueDeliveries(WorkState.Empty, []));
        },
        ct);

    /// <remarks>
    /// Costs for up to 49 attempts two queries (point reads for one attempt), a point read, and a batch of two writes for each (the delivery, its lane); one
    /// more query for each lane that has other pending deliveries, and one for all of these.
    /// </remarks>
    public async ValueTask<IReadOnlyList<RecordedAttempt>> RecordAttempts(string webhookId, IReadOnlyList<FinishedAttempt> attempts, CancellationToken ct)
    {
        var recorded = new List<RecordedAttempt>(attempts.Count);
        foreach (var portion in attempts.Chunk(MaxAttemptsPerBatch)) recorded.AddRange(await DecideAndWrite(() => RecordBatch(webhookId, portion, ct), ct));
        return recorded;
    }

    /// <remarks>Costs three queries, and a batch for up to 100 lanes.</remarks>
    public async ValueTask Defer(IReadOnlyCollection<(string DeliveryId, int Number)> attempts, DateTimeOffset until, CancellationToken ct)
    {
        foreach (var portion in attempts.Chunk(DeliveryBatch.MaxOperations))
        {
            await DecideAndWrite(
                async () =>
                {
                    // Deliveries are read again once their lanes are read: an attempt recorded since then changes its lane, and the batch fails.
                    var ids = portion.Select(attempt => attempt.DeliveryId).ToList();
                    var lanes = (await ReadDeliveries(ids, ct)).Select(delivery => LaneDocument.IdOf(delivery.Lane)).Distinct();
                    var known = (await ReadDocuments(LaneDocument.Columns, lanes, ct)).Select(LaneDocument.Read).ToDictionary(lane => lane.Lane);
                    var numbers = portion.ToLookup(attempt => attempt.DeliveryId, attempt => attempt.Number, StringComparer.Ordinal);
                    var underWay = (await ReadDeliveries(ids, ct))
                        .Where(delivery => delivery.Status is DeliveryStatus.Pending && numbers[delivery.Id].Any(number => delivery.NextAttempt <= number));
                    var batch = new DeliveryBatch(client);
                    foreach (var lane in underWay.Select(delivery => known.GetValueOrDefault(delivery.Lane)).OfType<LaneDocument>().Distinct())
                        Put(batch, lane with { Due = until, IsUnderWay = true });
                    return (batch.Count == 0 || await batch.Send(ct), true);
                },
                ct);
        }
    }

    /// <remarks>Costs a query, and for each lane a point read and a batch.</remarks>
    public async ValueTask<int> Reopen(
        IReadOnlyCollection<string> deliveryIds, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct)
    {
        var reopened = 0;
        var found = await ReadDeliveries(deliveryIds.Distinct(StringComparer.Ordinal), ct);
        var lanes = found.Where(delivery => statuses.Contains(delivery.Status)).GroupBy(delivery => delivery.Lane);
        foreach (var portion in lanes.SelectMany(lane => lane.Chunk(MaxPerLane)))
            reopened += await Reopen(portion[0].Lane, portion, statuses, now, ct);
        return reopened;
    }

    /// <remarks>
    /// Costs a query, a point read, a query and a batch for each lane, and a query for the deliveries added since. Goes lane by lane: if it is interrupted,
    /// finalized deliveries stay final, and a repeated call does not count them.
    /// </remarks>
    public async ValueTask<int> Finalize(string webhookId, DeliveryStatus status, DateTimeOffset asOf, CancellationToken ct)
    {
        var finalized = 0;
        while (true)
        {
            var query = new QueryDefinition("SELECT * FROM c WHERE STARTSWITH(c.queue, @endpoint) AND c.created_at <= @asOf ORDER BY c.queue")
                .WithParameter("@endpoint", DeliveryDocument.Queue(webhookId)).WithParameter("@asOf", Time.Of(asOf));
            var pending = (await client.All(query, 10 * MaxPerLane, ct)).Select(DeliveryDocument.Read).ToList();
            if (pending.Count == 0) break;
            foreach (var portion in pending.GroupBy(delivery => delivery.Lane).SelectMany(lane => lane.Chunk(MaxPerLane)))
                finalized += await Finalize(portion[0].Lane, portion, status, ct);
        }

        // Deliveries that are left were added since: the endpoint was enabled again, and they need not wait for the finalized ones.
        foreach (var lane in await ListLanes(webhookId, " AND c.due > @now", asOf, int.MaxValue, ct))
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
            async () =>
            {
                if (await client.Read(RunDocument.IdOf(webhookId), ct) is not { } run) return (true, finalized);
                return (await new DeliveryBatch(client).Delete(RunDocument.IdOf(webhookId), RunDocument.Read(run).ETag).Send(ct), finalized);
            },
            ct);
    }

    /// <remarks>Costs a point read.</remarks>
    public async ValueTask<Delivery?> Find(string deliveryId, CancellationToken ct) =>
        await ReadDelivery(deliveryId, ct) is { } document ? DeliveryDocument.Read(document) : null;

    /// <remarks>Costs a query that reads a range of an index.</remarks>
    public async ValueTask<IReadOnlyList<Delivery>> List(string webhookId, DeliveryStatus? status, string? before, int limit, CancellationToken ct)
    {
        var condition = (status is null ? "" : " AND c.status = @status") + (before is null ? "" : " AND c.id < @before");
        var order = status is null ? "c.webhook DESC, c.id DESC" : "c.webhook DESC, c.status DESC, c.id DESC";
        var query = new QueryDefinition($"SELECT * FROM c WHERE c.webhook = @webhook{condition} ORDER BY {order}").WithParameter("@webhook", webhookId);
        if (status is not null) query.WithParameter("@status", status.ToString());
        if (before is not null) query.WithParameter("@before", before);
        return [.. (await client.All(query, limit, ct)).Select(DeliveryDocument.Read)];
    }

    /// <remarks>Costs a query that reads a range of an index.</remarks>
    public async ValueTask<IReadOnlyList<Delivery>> ListFailed(string webhookId, string after, int limit, CancellationToken ct)
    {
        const string text = "SELECT * FROM c WHERE c.webhook = @webhook AND c.status = @status AND c.id > @after ORDER BY c.webhook, c.status, c.id";
        var query = new QueryDefinition(text)
            .WithParameter("@webhook", webhookId).WithParameter("@status", nameof(DeliveryStatus.Failed)).WithParameter("@after", after);
        return [.. (await client.All(query, limit, ct)).Select(DeliveryDocument.Read)];
    }

    /// <summary>Splits deliveries into portions that each fit a batch together with their lanes. Deliveries of one lane stand together.</summary>
    private static IEnumerable<List<Delivery>> Split(IReadOnlyCollection<Delivery> deliveries)
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

    /// <summary>Reads deliveries, lanes and failures of some attempts, and records the attempts in one batch.</summary>
    private async ValueTask<(bool IsDone, IReadOnlyList<RecordedAttempt> Result)> RecordBatch(
        string webhookId, FinishedAttempt[] attempts, CancellationToken ct)
    {
        var documentsRead = ReadDocuments("*", attempts.Select(finished => finished.DeliveryId), ct).AsTask();
        var runRead = client.Read(RunDocument.IdOf(webhookId), ct).AsTask();
        await Task.WhenAll(documentsRead, runRead);
        var read = (await documentsRead).Where(IsDelivery)
            .Select(document => (Delivery: DeliveryDocument.Read(document), ETag: document.GetProperty("_etag").GetString()!))
            .ToDictionary(one => one.Delivery.Id, StringComparer.Ordinal);
        var before = await runRead is { } runDocument ? RunDocument.Read(runDocument) : null;
        var laneIds = read.Values.Select(one => LaneDocument.IdOf(one.Delivery.Lane)).Distinct();
        var lanes = (await ReadDocuments(LaneDocument.Columns, laneIds, ct)).Select(LaneDocument.Read).ToDictionary(lane => lane.Lane);

        var steps = await Task.WhenAll(
            attempts.Where(finished => read.ContainsKey(finished.DeliveryId)).Select(finished => Apply(finished, read[finished.DeliveryId], lanes, ct)));
        if (steps.Any(step => !step.IsConsistent)) return (false, []);
        var (batch, run) = (new DeliveryBatch(client), before?.Run);
        var states = new Dictionary<string, (string? Head, DateTimeOffset? Since)>(StringComparer.Ordinal);
        foreach (var step in steps)
        {
            if (step.After != step.Before)
            {
                batch.Patch(step.Before.Id, DeliveryDocument.PatchAttempt(step.Before, step.Attempt, step.After), step.ETag);
                Put(batch, step.Lane, step.LaneAfter);
                run = FailureRun.AfterAttempt(run, step.Attempt);
            }

            states[step.Before.Id] = (step.LaneAfter?.Head, run?.Since);
        }

        Put(batch, webhookId, before, run);
        if (batch.Count > 0 && !await batch.Send(ct)) return (false, []);
        var heads = await ReadHeads(steps, ct);
        return (true, [.. attempts.Select(finished => states.TryGetValue(finished.DeliveryId, out var state)
            ? new RecordedAttempt(state.Head is null ? null : heads.GetValueOrDefault(state.Head), state.Since)
            : default)]);
    }

    /// <summary>Applies an attempt to its delivery and lane. Changes nothing where the attempt is recorded already.</summary>
    private async Task<AttemptStep> Apply(
        FinishedAttempt finished, (Delivery Delivery, string ETag) read, Dictionary<Lane, LaneDocument> lanes, CancellationToken ct)
    {
        var (before, etag) = read;
        var lane = lanes.GetValueOrDefault(before.Lane);
        if (before.Attempts.Any(attempt => attempt.Number == finished.Attempt.Number)) return new(finished.Attempt, before, before, etag, lane, lane, true);

        // A delivery that was finalized while the attempt was in flight keeps its status, unless the attempt delivered it.
        var after = before with
        {
            Status = before.Status is DeliveryStatus.Pending || finished.Status is DeliveryStatus.Delivered ? finished.Status : before.Status,
            Attempts = [.. before.Attempts.Append(finished.Attempt).OrderBy(each => each.Number).TakeLast(DeliveryAttempt.MaxKept)],
        };
        var becomesFinal = before.Status is DeliveryStatus.Pending && after.Status is not DeliveryStatus.Pending;
        var (laneAfter, isConsistent) = await Advance(lane, becomesFinal ? [before] : [], finished.Due, ct);
        return new(finished.Attempt, before, after, etag, lane, laneAfter, isConsistent);
    }

    /// <summary>Reads the oldest pending delivery of each lane after the attempts, except those that the attempts themselves left pending.</summary>
    private async ValueTask<Dictionary<string, Delivery>> ReadHeads(AttemptStep[] steps, CancellationToken ct)
    {
        var heads = steps.Where(step => step.LaneAfter?.Head == step.After.Id).ToDictionary(step => step.After.Id, step => step.After, StringComparer.Ordinal);
        var others = steps.Select(step => step.LaneAfter?.Head).OfType<string>().Where(head => !heads.ContainsKey(head)).ToList();
        foreach (var head in await ReadDeliveries(others, ct)) heads[head.Id] = head;
        return heads;
    }

    private async ValueTask<int> Reopen(
        Lane lane, IReadOnlyCollection<Delivery> portion, IReadOnlyCollection<DeliveryStatus> statuses, DateTimeOffset now, CancellationToken ct)
    {
        // The deliveries that this call has reopened, to recognize them if an answer gets lost.
        var mine = new Dictionary<string, Delivery>(StringComparer.Ordinal);
        return await DecideAndWrite(
            async () =>
            {
                var before = await ReadLane(lane, ct);
                var documents = await ReadDocuments("*", portion.Select(delivery => delivery.Id), ct);
                var open = documents
                    .Where(document => DeliveryDocument.Read(document) is var delivery && statuses.Contains(delivery.Status) && !IsMine(delivery)).ToList();
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
                var documents = await ReadDocuments("*", portion.Select(delivery => delivery.Id), ct);
                var pending = documents.Where(document => DeliveryDocument.Read(document).Status is DeliveryStatus.Pending).ToList();
                var done = documents.Select(DeliveryDocument.Read).Count(delivery => mine.Contains(delivery.Id) && delivery.Status == status);
                if (pending.Count == 0) return (true, done);

                var batch = new DeliveryBatch(client);
                foreach (var document in pending)
                {
                    var id = document.GetProperty("id").GetString()!;
                    mine.Add(id);
                    batch.Patch(
                        id,
                        [
                            PatchOperation.Set("/status", status.ToString()), PatchOperation.Remove("/queue"),
                            PatchOperation.Set("/ttl", DeliveryDocument.KeptSeconds),
                        ],
                        document.GetProperty("_etag").GetString()!);
                }

                var (after, isConsistent) = await Advance(before, [.. pending.Select(DeliveryDocument.Read)], before?.Due ?? default, ct);
                Put(batch, before, after);
                return (isConsistent && await batch.Send(ct), pending.Count + done);
            },
            ct);
    }

    /// <summary>Advances a lane: removes finalized deliveries, sets when it is due, and ends its attempt in flight.</summary>
    /// <returns>The lane, null if it has nothing pending; and whether lane and deliveries were read as of the same moment.</returns>
    private async ValueTask<(LaneDocument? After, bool IsConsistent)> Advance(
        LaneDocument? lane, IReadOnlyCollection<Delivery> finalized, DateTimeOffset due, CancellationToken ct)
    {
        if (lane is null) return (null, finalized.Count == 0);
        if (lane.Pending < finalized.Count) return (null, false);
        if (lane.Pending == finalized.Count) return (null, true);
        var after = lane with { Pending = lane.Pending - finalized.Count, Due = due, IsUnderWay = false };
        if (finalized.All(delivery => delivery.Id != lane.Head)) return (after, true);
        const string text =
            "SELECT c.id, c.queue FROM c WHERE STARTSWITH(c.queue, @lane) AND NOT ARRAY_CONTAINS(@finalized, c.id) ORDER BY c.queue OFFSET 0 LIMIT 1";
        var query = new QueryDefinition(text)
            .WithParameter("@lane", DeliveryDocument.Queue(lane.Lane)).WithParameter("@finalized", finalized.Select(delivery => delivery.Id));
        if (await client.All(query, 1, ct) is not [var next]) return (null, false);
        return (after with { Head = next.GetProperty("id").GetString()!, HeadQueue = next.GetProperty("queue").GetString()! }, true);
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

    /// <summary>Whether the endpoint is unchanged since it was read. A stale read would turn away a worker that another process has called.</summary>
    private ValueTask<bool> IsUnchanged(string webhookId, EndpointDocument endpoint, CancellationToken ct) =>
        new DeliveryBatch(client).Patch(EndpointDocument.IdOf(webhookId), [PatchOperation.Increment("/asked", 1)], endpoint.ETag!).Send(ct);

    private ValueTask<bool> Hold(string webhookId, EndpointDocument endpoint, CancellationToken ct) =>
        new DeliveryBatch(client).Put(EndpointDocument.IdOf(webhookId), endpoint.ToJson(partition.Key, webhookId), endpoint.ETag).Send(ct);

    /// <summary>
    /// Ends a hold, if nobody has asked for the worker since it was read. Where there was none, creating and removing a document in one batch proves that there
    /// still is none.
    /// </summary>
    private ValueTask<bool> EndHold(string webhookId, EndpointDocument? endpoint, string holder, DateTimeOffset until, CancellationToken ct)
    {
        var (id, batch) = (EndpointDocument.IdOf(webhookId), new DeliveryBatch(client));
        if (endpoint is null) batch.Put(id, new EndpointDocument(holder, until, IsAsleep: false).ToJson(partition.Key, webhookId), etag: null);
        return batch.Delete(id, endpoint?.ETag).Send(ct);
    }

    /// <summary>Lists lanes of an endpoint, the one due for longest first.</summary>
    private async ValueTask<IReadOnlyList<LaneDocument>> ListLanes(string webhookId, string condition, DateTimeOffset now, int limit, CancellationToken ct)
    {
        var query = new QueryDefinition($"SELECT {LaneDocument.Columns} FROM c WHERE c.lane_of = @webhook{condition} ORDER BY c.lane_of, c.due")
            .WithParameter("@webhook", webhookId);
        if (condition.Length > 0) query.WithParameter("@now", Time.Of(now));
        return [.. (await client.All(query, limit, ct)).Select(LaneDocument.Read)];
    }

    /// <summary>Reads the oldest delivery of each lane, in the lanes' order, without those that were finalized since.</summary>
    private async ValueTask<IReadOnlyList<Delivery>> ReadHeads(IReadOnlyList<LaneDocument> lanes, CancellationToken ct)
    {
        var found = (await ReadDeliveries(lanes.Select(lane => lane.Head), ct)).ToDictionary(delivery => delivery.Id, StringComparer.Ordinal);
        return [.. lanes.Select(lane => found.GetValueOrDefault(lane.Head)).OfType<Delivery>().Where(delivery => delivery.Status is DeliveryStatus.Pending)];
    }

    private async ValueTask<IReadOnlyList<Delivery>> ReadDeliveries(IEnumerable<string> ids, CancellationToken ct) =>
        [.. (await ReadDocuments("*", ids, ct)).Where(IsDelivery).Select(DeliveryDocument.Read)];

    private async ValueTask<IReadOnlyList<JsonElement>> ReadDocuments(string columns, IEnumerable<string> ids, CancellationToken ct)
    {
        var wanted = ids.ToArray();
        if (wanted is [var only]) return await client.Read(only, ct) is { } document ? [document] : [];
        if (wanted.Length == 0) return [];
        var query = new QueryDefinition($"SELECT {columns} FROM c WHERE ARRAY_CONTAINS(@ids, c.id)").WithParameter("@ids", wanted);
        return await client.All(query, wanted.Length, ct);
    }

    private async ValueTask<LaneDocument?> ReadLane(Lane lane, CancellationToken ct) =>
        await client.Read(LaneDocument.IdOf(lane), ct) is { } document ? LaneDocument.Read(document) : null;

    private async ValueTask<JsonElement?> ReadDelivery(string deliveryId, CancellationToken ct) =>
        await client.Read(deliveryId, ct) is { } document && IsDelivery(document) ? document : default(JsonElement?);

    private static bool IsDelivery(JsonElement document) => document.GetProperty("kind").ValueEquals(DeliveryDocument.Kind);

    private DeliveryBatch Put(DeliveryBatch batch, LaneDocument lane) => batch.Put(LaneDocument.IdOf(lane.Lane), lane.ToJson(partition.Key), lane.ETag);

    /// <summary>Reads, decides and writes, and does so again where others wrote first or the service errors.</summary>
    /// <param name="attempt">Makes one attempt: returns whether its writes were done, and the result.</param>
    /// <param name="ct">Ends the wait.</param>
    private async ValueTask<T> DecideAndWrite<T>(Func<ValueTask<(bool IsDone, T Result)>> attempt, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var errors = 0;
        for (var i = 0; i < MaxAttempts; i++)
        {
            try
            {
                var (isDone, result) = await attempt();
                if (isDone) return result;
                errors = 0;
                if (i > 0) await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 10 * i)), clock, ct);
            }
            catch (TransientException e)
            {
                if (errors == PartitionClient.RetryDelays.Length) throw e.ToStoreUnavailable();
                await Task.Delay(PartitionClient.RetryDelays[errors++], clock, ct);
            }
        }

        throw new StoreUnavailableException($"Other writers changed the same deliveries at each of {MaxAttempts} attempts; retry later.");
    }

    /// <summary>Holds the effect of an attempt on its delivery and lane.</summary>
    private sealed record AttemptStep(
        DeliveryAttempt Attempt, Delivery Before, Delivery After, string ETag, LaneDocument? Lane, LaneDocument? LaneAfter, bool IsConsistent);
}
