import { useEffect, useState } from "react";
import { listMicrophones, type MicrophoneChoice, storedMicrophone, storeMicrophone } from "./microphone";

/** The microphones that there are now, and which one is wanted. */
export function useMicrophones() {
  const [microphones, setMicrophones] = useState<MediaDeviceInfo[]>([]);
  const [choice, setChoice] = useState(storedMicrophone);
  useEffect(() => {
    let isHere = true;
    const look = () =>
      void listMicrophones().then((found) => {
        // The browser lists the default one a second time under a name of its own.
        if (isHere) setMicrophones(found.filter(({ deviceId }) => deviceId !== "default"));
      });
    look();
    navigator.mediaDevices?.addEventListener("devicechange", look);
    return () => {
      isHere = false;
      navigator.mediaDevices?.removeEventListener("devicechange", look);
    };
  }, []);
  const choose = (chosen: MicrophoneChoice) => {
    storeMicrophone(chosen);
    setChoice(chosen);
  };
  return { microphones, choice, choose };
}
