using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>The operations of a batch, done one after the other, or all as one. docs/api/v1.md, Batches.</summary>
/// <param name="call">Who asks.</param>
/// <param name="schema">Of which resource.</param>
/// <param name="operations">In order.</param>
/// <param name="isDryRun">Whether they are only tried: each as if those before it had been done.</param>
internal sealed class BatchRun(Call call, Schema schema, IReadOnlyList<BatchOperation> operations, bool isDryRun)
{
    /// <summary>How often an atomic batch is decided anew because others changed what it was decided on.</summary>
    private const int MaxAttempts = 20;

    public ValueTask<Outcome> Run(bool isAtomic) => isAtomic ? Together() : isDryRun ? Try() : OneByOne();

    /// <summary>Each in a commit of its own, which holds its answer: a batch that was interrupted goes on where it was when it is repeated.</summary>
    private async ValueTask<Outcome> OneByOne()
    {
        var outcomes = new List<Outcome>(operations.Count);
        if (call.Idempotent is not null && await call.Idempotent.Part(0).Replay() is { Error: { Code: ErrorCode.IdempotencyKeyReused } reused }) return reused;
        for (var i = 0; i < operations.Count; i++)
        {
            var part = call.Idempotent?.Part(i);
            try
            {
                var answer = part is null ? null : await part.Replay();
                outcomes.Add(
                    answer ?? await Do(
                        operations[i], Records(call.Caller.Store, part?.Keeping(stored => AnswerOf(operations[i], stored)), isOneOfMany: false)));
            }
            catch (AlreadyAnsweredException)
            {
                outcomes.Add((await part!.Replay())!);
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

    private async ValueTask<Outcome> Try()
    {
        var records = Records(call.Caller.Store.Stage().Seen, recorder: null, isOneOfMany: true);
        var outcomes = new List<Outcome>(operations.Count);
        foreach (var operation in operations) outcomes.Add(await Do(operation, records));
        return new Outcome.Batched(outcomes);
    }

    private async ValueTask<Outcome> Together()
    {
        for (var round = 0; round < MaxAttempts; round++)
        {
            var (seen, staged) = call.Caller.Store.Stage();
            var records = Records(seen, recorder: null, isOneOfMany: true);
            var outcomes = new List<Outcome>(operations.Count);
            foreach (var operation in operations)
            {
                var answer = await Do(operation, records);
                if (answer.Error is { } error) return At(outcomes.Count, error);
                outcomes.Add(answer);
            }

            var whole = new Outcome.Batched(outcomes);
            var commit = staged.Whole(call.Idempotent?.Seal(whole));
            var outcome = isDryRun ? await call.Caller.Store.Check(commit, call.Aborted) : await call.Caller.Store.Commit(commit, call.Aborted);
            if (outcome.Result is CommitResult.Answered) throw new AlreadyAnsweredException();
            if (outcome.Result is not CommitResult.Done) continue;
            call.Idempotent?.IsStored();
            return whole;
        }

        return Error.Busy;
    }

    private async ValueTask<Outcome> Do(BatchOperation operation, RecordSet records)
    {
        var done = await operation.Run(schema, records, call.Aborted);
        return done.Error is { } error ? error : Answered(done.Value);
    }

    private Outcome AnswerOf(BatchOperation operation, StoredRecord stored) => operation is BatchOperation.Delete
        ? Outcome.Deleted
        : Answered(new BatchOutcome(stored, IsNew: stored.Version == 1 && operation is BatchOperation.Create or BatchOperation.Upsert));

    private Outcome Answered(BatchOutcome outcome) => outcome switch
    {
        { Record: null } => Outcome.Deleted,
        { IsNew: true } => Outcome.New(schema, outcome.Record),
        _ => Outcome.Of(schema, outcome.Record),
    };

    private RecordSet Records(IWorkspaceStore store, ResponseRecorder? recorder, bool isOneOfMany) =>
        new(Crm.Catalog, store, call.Origin, call.Ids, call.Clock, new WriteOptions(IsDryRun: false, recorder, isOneOfMany));

    /// <summary>The error of one operation as that of the batch: it says which operation.</summary>
    private static Error At(int index, Error error) => error with
    {
        Details = error.Details.Count == 0
            ? [new FieldError($"operations[{index}]", error.Message)]
            : [.. error.Details.Select(d => new FieldError($"operations[{index}].{(d.Field is "id" ? "" : "data.")}{d.Field}", d.Message))],
    };
}
