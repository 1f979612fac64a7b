using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Runs the operations of a batch, one by one or atomically. docs/api/v1.md, Batches.</summary>
/// <param name="call">The request.</param>
/// <param name="schema">The resource.</param>
/// <param name="operations">The operations, in order.</param>
/// <param name="isDryRun">Whether this is a dry run. Each operation is checked as if those before it were done.</param>
internal sealed class BatchRun(Call call, Schema schema, IReadOnlyList<BatchOperation> operations, bool isDryRun)
{
    /// <summary>Maximum number of attempts of an atomic batch whose records change meanwhile.</summary>
    private const int MaxAttempts = 20;

    public ValueTask<Outcome> Run(bool isAtomic) => isAtomic ? RunAtomically() : isDryRun ? RunDry() : RunSeparately();

    /// <summary>Runs each operation in its own commit, which holds its answer. A repeat of an interrupted batch continues where it stopped.</summary>
    private async ValueTask<Outcome> RunSeparately()
    {
        var outcomes = new List<Outcome>(operations.Count);
        if (call.Idempotent is { } request && await request.ForOperation(0).Replay() is { Error: { Code: ErrorCode.IdempotencyKeyReused } reused })
            return reused;

        for (var i = 0; i < operations.Count; i++)
        {
            var idempotent = call.Idempotent?.ForOperation(i);
            try
            {
                var answer = idempotent is null ? null : await idempotent.Replay();
                outcomes.Add(
                    answer ?? await RunOne(
                        operations[i], Records(call.Caller.Store, idempotent?.CreateRecorder(stored => AnswerOf(operations[i], stored)), isOneOfMany: false)));
            }
            catch (AlreadyAnsweredException)
            {
                outcomes.Add((await idempotent!.Replay())!);
            }
            catch (CommitTooLargeException)
            {
                outcomes.Add(Error.TooLarge);
            }
            catch (StoreUnavailableException e)
            {
                outcomes.Add(Error.StoreDown(e.RetryAfter));
            }
        }

        return new Outcome.Batched(outcomes);
    }

    private async ValueTask<Outcome> RunDry()
    {
        var records = Records(call.Caller.Store.Stage().Seen, recorder: null, isOneOfMany: true);
        var outcomes = new List<Outcome>(operations.Count);
        foreach (var operation in operations) outcomes.Add(await RunOne(operation, records));
        return new Outcome.Batched(outcomes);
    }

    private async ValueTask<Outcome> RunAtomically()
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var (seen, staged) = call.Caller.Store.Stage();
            var records = Records(seen, recorder: null, isOneOfMany: true);
            var outcomes = new List<Outcome>(operations.Count);
            foreach (var operation in operations)
            {
                var answer = await RunOne(operation, records);
                if (answer.Error is { } error) return InBatch(outcomes.Count, error);
                outcomes.Add(answer);
            }

            var whole = new Outcome.Batched(outcomes);
            var commit = staged.Whole(call.Idempotent?.ToStoredAnswer(whole));
            var outcome = isDryRun ? await call.Caller.Store.Check(commit, call.Aborted) : await call.Caller.Store.Commit(commit, call.Aborted);
            if (outcome.Result is CommitResult.Answered) throw new AlreadyAnsweredException();
            if (outcome.Result is not CommitResult.Done) continue;
            call.Idempotent?.MarkStored();
            return whole;
        }

        return Error.Busy;
    }

    private async ValueTask<Outcome> RunOne(BatchOperation operation, RecordSet records)
    {
        var done = await operation.Run(schema, records, call.Aborted);
        return done.Error is { } error ? error : ToOutcome(done.Value);
    }

    private Outcome AnswerOf(BatchOperation operation, StoredRecord stored) => operation is BatchOperation.Delete
        ? Outcome.Deleted
        : ToOutcome(new BatchOutcome(stored, IsNew: stored.Version == 1 && operation is BatchOperation.Create or BatchOperation.Upsert));

    private Outcome ToOutcome(BatchOutcome outcome) => outcome switch
    {
        { Record: null } => Outcome.Deleted,
        { IsNew: true } => Outcome.New(schema, outcome.Record),
        _ => Outcome.Of(schema, outcome.Record),
    };

    private RecordSet Records(IWorkspaceStore store, ResponseRecorder? recorder, bool isOneOfMany) =>
        new(Crm.Catalog, store, call.Origin, call.Ids, call.Clock, new WriteOptions(IsDryRun: false, recorder, isOneOfMany));

    /// <summary>Turns the error of one operation into that of the batch; its details name the operation.</summary>
    private static Error InBatch(int index, Error error) => error with
    {
        Details = error.Details.Count == 0
            ? [new FieldError($"operations[{index}]", error.Message)]
            : [.. error.Details.Select(d => new FieldError($"operations[{index}].{(d.Field is "id" ? "" : "data.")}{d.Field}", d.Message))],
    };
}
