namespace NodeStash.Worker.Tests.Host;

/// <summary>A worker that is connected.</summary>
internal sealed class RunningWorker(WorkerProcess process, WorkerChannel channel, PublishedApp program) : IAsyncDisposable
{
    public WorkerProcess Process => process;

    public WorkerChannel Channel => channel;

    /// <summary>Has it load its functions.</summary>
    /// <returns>What it says of them.</returns>
    public Task<IReadOnlyList<FunctionMetadata>> Load() => channel.Load(program.RunningFolder);

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
