using System.Globalization;
using NodeStash.LocalHost.Tests.Durable;
using Xunit.Runner.InProc.SystemConsole;

if (args is not [EngineLife.Argument, var folder, var seed, var number]) return await ConsoleRunner.Run(args);

// The engine in a process of its own, for tests that kill it.
await using var life = new EngineLife(folder, int.Parse(seed, CultureInfo.InvariantCulture));
await life.Start();
await Console.Out.WriteLineAsync("started");
await foreach (var id in life.Schedule(int.Parse(number, CultureInfo.InvariantCulture))) await Console.Out.WriteLineAsync(id);
await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
return 0;
