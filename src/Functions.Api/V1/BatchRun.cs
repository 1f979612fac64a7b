using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>The operations of a batch, done one after the other, or all as one. contract/v1.md, Common rules.</summary>
/// <param name="call">Who asks.</param>
/// <param name="schema">Of which resource.</param>
/// <param name="operations">In order.</param>
/// <param name="isDryRun">Whether they are only tried: each as if those before it had been done.</param>
internal sealed class BatchRun(Call call, Schema schema, IReadOnlyList<BatchOperation> operations, bool isDryRun)
{
    /// <summary>How often an atomic batch is decided anew because others changed what it was decided on.</summary>
    private const int MostRounds = 20;

    public ValueTask<Answer> Run(bool isAtomic) => isAtomic ? Together() : isDryRun ? Try() : OneByOne();

    /// <summary>Each in a commit of its own, which holds its answer: a batch that was interrupted goes on where it was when it is repeated.</summary>
    private async ValueTask<Answer> OneByOne()
    {
        var answers = new List<Answer>(operations.Count);
        if (call.Idempotent is not null && await call.Idempotent.Part(0).Replay() is { Error: { Code: ErrorCode.IdempotencyKeyReused } reused }) return reused;
        for (var i = 0; i < operations.Count; i++)
        {
            var part = call.Idempotent?.Part(i);
            try
            {
                var answer = part is null ? null : await part.Replay();
                answers.Add(answer ?? await Do(operations[i], Records(call.Caller.Store, part?.Keeping(stored => AnswerOf(operations[i], stored)), isOneOfMany: false)));
            }
            catch (AlreadyAnsweredException)
            {
                answers.Add((await part!.Replay())!);
            }
            catch (CommitTooLargeException)
            {
                answers.Add(Error.TooLarge);
            }
            catch (StoreUnavailableException e)
            {
                answers.Add(Error.StoreDown(e.RetryAfter));
            }
        }

        return Answer.Batched(answers);
    }

    private async ValueTask<Answer> Try()
    {
        var records = Records(call.Caller.Store.Stage().Seen, keeping: null, isOneOfMany: true);
        var answers = new List<Answer>(operations.Count);
        foreach (var operation in operations) answers.Add(await Do(operation, records));
        return Answer.Batched(answers);
    }

    private async ValueTask<Answer> Together()
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var (seen, staged) = call.Caller.Store.Stage();
            var records = Records(seen, keeping: null, isOneOfMany: true);
            var answers = new List<Answer>(operations.Count);
            foreach (var operation in operations)
            {
                var answer = await Do(operation, records);
                if (answer.Error is { } error) return At(answers.Count, error);
                answers.Add(answer);
            }

            var whole = Answer.Batched(answers);
            var commit = staged.Whole(call.Idempotent?.Seal(whole));
            var outcome = isDryRun ? await call.Caller.Store.Check(commit, call.Aborted) : await call.Caller.Store.Commit(commit, call.Aborted);
            if (outcome.Result is CommitResult.Answered) throw new AlreadyAnsweredException();
            if (outcome.Result is not CommitResult.Done) continue;
            call.Idempotent?.Stored();
            return whole;
        }

        return Error.Busy;
    }

    private async ValueTask<Answer> Do(BatchOperation operation, RecordSet records)
    {
        var done = await operation.Run(schema, records, call.Aborted);
        return done.Error is { } error ? error : Answered(done.Value);
    }

    private Answer AnswerOf(BatchOperation operation, StoredRecord stored) => operation is BatchOperation.Delete
        ? Answer.NoContent
        : Answered(new BatchOutcome(stored, IsNew: stored.Version == 1 && operation is BatchOperation.Create or BatchOperation.Upsert));

    private Answer Answered(BatchOutcome outcome) => outcome switch
    {
        { Record: null } => Answer.NoContent,
        { IsNew: true } => Answer.Created(schema, outcome.Record),
        _ => Answer.Found(schema.EnvelopeType, outcome.Record),
    };

    private RecordSet Records(IWorkspaceStore store, Keeping? keeping, bool isOneOfMany) =>
        new(store, call.Origin, call.Ids, call.Clock, new Writing(IsDryRun: false, keeping, isOneOfMany));

    /// <summary>The error of one operation as that of the batch: it says which operation.</summary>
    private static Error At(int index, Error error) => error with
    {
        Details = error.Details.Count == 0
            ? [new FieldFault($"operations[{index}]", error.Message)]
            : [.. error.Details.Select(d => new FieldFault($"operations[{index}].{(d.Field is "id" ? "" : "data.")}{d.Field}", d.Message))],
    };
}
