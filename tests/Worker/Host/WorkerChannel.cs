using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using Grpc.Core;

namespace NodeStash.Worker.Tests.Host;

/// <summary>What the host and one worker say to each other. Gives up waiting for an answer after a time that only a fault exceeds.</summary>
internal sealed class WorkerChannel
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(2);

    private const int Error = 4;

    private readonly ConcurrentQueue<string> errors = new();
    private readonly Channel<StreamingMessage> outbox = Channel.CreateUnbounded<StreamingMessage>();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<StreamingMessage>> waiting = new();
    private readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The errors that the worker logged.</summary>
    public IReadOnlyCollection<string> Errors => errors;

    /// <summary>Where the worker takes HTTP requests; null where it takes none.</summary>
    public string? HttpUri { get; private set; }

    /// <summary>Completes once the stream has ended, from either side.</summary>
    public Task Ended => ended.Task;

    /// <summary>A value that no other request has.</summary>
    public static string NewId() => new Guid(RandomNumberGenerator.GetBytes(16)).ToString();

    /// <summary>Ends the stream from the side of the host.</summary>
    public void Close() => closing.TrySetResult();

    /// <summary>Goes on until the stream ends on either side.</summary>
    public async Task Converse(IAsyncStreamReader<StreamingMessage> worker, IServerStreamWriter<StreamingMessage> host, CancellationToken gone)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(gone);
        var sending = Send(host, end.Token);
        await Task.WhenAny(Receive(worker, end.Token), sending, closing.Task);
        await end.CancelAsync();
        ended.TrySetResult();
        foreach (var id in waiting.Keys) Gone(id);
    }

    /// <summary>Greets the worker, has it list its functions and load each.</summary>
    /// <returns>What it says of its functions.</returns>
    public async Task<IReadOnlyList<FunctionMetadata>> Load(string folder)
    {
        var greeting = new InitRequest { HostVersion = "4.0.0", WorkerFolder = folder, AppFolder = folder };
        var initialized = (await Ask(new StreamingMessage { Init = greeting })).Initialized;
        Check(initialized.Outcome);
        HttpUri = initialized.Capabilities.GetValueOrDefault("HttpUri");
        var listed = (await Ask(new StreamingMessage { List = new ListRequest { AppFolder = folder } })).Listed;
        Check(listed.Outcome);
        foreach (var function in listed.Functions)
            Check((await Ask(new StreamingMessage { Load = new LoadRequest { FunctionId = function.FunctionId, Function = function } })).Loaded.Outcome);
        return listed.Functions;
    }

    public Task<StreamingMessage> Invoke(InvokeRequest invocation) => Ask(new StreamingMessage { Invoke = invocation }, invocation.InvocationId);

    /// <summary>Says that the worker is to end.</summary>
    public void Terminate() => outbox.Writer.TryWrite(new StreamingMessage { Terminate = new TerminateRequest() });

    public async Task<StreamingMessage> Ask(StreamingMessage request, string? id = null)
    {
        request.RequestId = id ?? NewId();
        var answer = waiting[request.RequestId] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        outbox.Writer.TryWrite(request);
        if (ended.Task.IsCompleted) Gone(request.RequestId);
        return await answer.Task.WaitAsync(GiveUpAfter, TimeProvider.System);
    }

    private static void Check(Outcome outcome)
    {
        if (outcome.Status != Outcome.Types.Status.Success) throw new InvalidOperationException($"{outcome.Status}: {outcome.Failure?.Message}");
    }

    private async Task Receive(IAsyncStreamReader<StreamingMessage> worker, CancellationToken ct)
    {
        while (await worker.MoveNext(ct))
        {
            if (worker.Current.Log is { Level: >= Error } entry) errors.Enqueue($"{entry.Category}: {entry.Message} {entry.Failure?.Message}");
            Answered(worker.Current.RequestId)?.TrySetResult(worker.Current);
        }
    }

    private async Task Send(IServerStreamWriter<StreamingMessage> host, CancellationToken ct)
    {
        await foreach (var message in outbox.Reader.ReadAllAsync(ct)) await host.WriteAsync(message, ct);
    }

    private void Gone(string id) => Answered(id)?.TrySetException(new IOException("The worker has gone"));

    private TaskCompletionSource<StreamingMessage>? Answered(string id) => waiting.TryRemove(id, out var request) ? request : null;
}
