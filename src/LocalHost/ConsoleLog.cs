using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace NodeStash.LocalHost;

/// <summary>
/// Writes the log to the console in the framework's formats. The console logger of the framework wakes a thread and writes for every line, which costs
/// more than the request behind the line. This one collects lines for 50 ms and writes them together, but warnings and worse at once.
/// </summary>
[ProviderAlias("Console")]
internal sealed class ConsoleLog : ILoggerProvider, ISupportExternalScope
{
    /// <summary>Maximum number of buffered characters. If nobody reads the console, logging beyond it waits.</summary>
    private const int MaxWaiting = 1024 * 1024;

    private static readonly TimeSpan FlushDelay = TimeSpan.FromMilliseconds(50);

    [ThreadStatic]
    private static StringWriter? line;

    private readonly object gate = new();
    private readonly ConsoleFormatter formatter;
    private readonly Thread thread;
    private StringBuilder waiting = new();
    private StringBuilder written = new();
    private bool isUrgent;
    private bool isClosed;
    private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

    public ConsoleLog(IEnumerable<ConsoleFormatter> formatters, IConfiguration configuration)
    {
        var name = configuration["Logging:Console:FormatterName"] ?? ConsoleFormatterNames.Simple;
        var known = formatters.ToDictionary(f => f.Name, StringComparer.OrdinalIgnoreCase);
        formatter = known.GetValueOrDefault(name) ?? known[ConsoleFormatterNames.Simple];
        thread = new Thread(Write) { IsBackground = true, Name = "console log" };
        thread.Start();
    }

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose()
    {
        lock (gate)
        {
            isClosed = true;
            Monitor.PulseAll(gate);
        }

        thread.Join();
    }

    private void Add(StringBuilder text, bool atOnce)
    {
        lock (gate)
        {
            while (waiting.Length > MaxWaiting && !isClosed)
            {
                isUrgent = true;
                Monitor.PulseAll(gate);
                Monitor.Wait(gate);
            }

            var wake = waiting.Length == 0 || (atOnce && !isUrgent);
            isUrgent |= atOnce;
            waiting.Append(text);
            if (wake) Monitor.PulseAll(gate);
        }
    }

    private void Write()
    {
        while (true)
        {
            lock (gate)
            {
                while (waiting.Length == 0 && !isClosed) Monitor.Wait(gate);
                if (waiting.Length == 0) return;
                if (!isUrgent && !isClosed) Monitor.Wait(gate, FlushDelay);
                (waiting, written, isUrgent) = (written, waiting, false);
                Monitor.PulseAll(gate);
            }

            try
            {
                Console.Out.Write(written);
            }
            catch (IOException)
            {
                // The disk of the log is full, or its reader is gone. The server goes on.
            }

            written.Clear();
        }
    }

    private sealed class Category(ConsoleLog console, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => console.scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel is not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            line ??= new StringWriter();
            console.formatter.Write(new LogEntry<TState>(logLevel, name, eventId, state, exception, formatter), console.scopes, line);
            console.Add(line.GetStringBuilder(), atOnce: logLevel >= LogLevel.Warning);
            line.GetStringBuilder().Clear();
        }
    }
}
